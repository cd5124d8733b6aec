// Starts the page: draws the application and signs someone in.

import { render } from 'preact'
import { greetNewMembers } from './greeting.js'
import { listenToKeys } from './keys.js'
import { start } from './session.js'
import { App } from './ui/app.js'
import { html } from './ui/html.js'

const root = /** @type {HTMLElement} */ (document.getElementById('app'))
render(html`<${App} />`, root)
listenToKeys()
greetNewMembers()
await start(root.dataset.prefix ?? '/client')

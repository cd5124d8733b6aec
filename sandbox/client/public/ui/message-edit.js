// Writing a sent message anew, in its own place: Enter saves, Escape leaves it as it was, nothing left asks to delete it.

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { editMessage } from '../actions.js'
import { deleteMessage } from '../messages.js'
import { update } from '../store.js'
import { html } from './html.js'

/** @import { Message } from '../types.d.ts' */

/** @param {{ message: Message }} props */
export function MessageEdit({ message }) {
  const [text, setText] = useState(message.content)
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null))
  useLayoutEffect(() => {
    area.current?.focus()
    area.current?.setSelectionRange(text.length, text.length)
  }, [])
  useLayoutEffect(() => {
    if (!area.current) return
    area.current.style.height = 'auto'
    area.current.style.height = `${area.current.scrollHeight}px`
  }, [text])
  const leave = () => {
    update((s) => (s.editing = null))
    document.getElementById('composer')?.focus()
  }
  const save = () => {
    const content = text.trim()
    leave()
    if (content === '' && message.attachments.length === 0) void deleteMessage(message)
    else if (content !== message.content) void editMessage(message, content)
  }
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      event.preventDefault()
      leave()
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault()
      save()
    }
  }
  return html`<div class="message-edit">
    <textarea ref=${area} class="text-input" rows="1" maxlength="2000" aria-label="Edit message" data-testid="edit-message" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${onKey}></textarea>
    <small>escape to <button type="button" class="link" onClick=${leave}>cancel</button> • enter to <button type="button" class="link" onClick=${save}>save</button></small>
  </div>`
}

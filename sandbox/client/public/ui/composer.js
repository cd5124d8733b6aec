// The line at the bottom: writes messages, offers commands after a slash and names after an @ or #, and hands over to the command bar.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { showPanel } from '../actions.js'
import { channelName, colourIn, nameIn } from '../format.js'
import { commandsAreAwaited, currentCommands, loadCommands, refreshCommands } from '../interactions.js'
import { sendMessage, sendTyping } from '../messages.js'
import { smallEnough, toast } from '../notices.js'
import { Permission } from '../permissions.js'
import { readLine, runnables, search } from '../slash.js'
import { currentGuild, isDirect, isThread, may, maySend, state, update } from '../store.js'
import { CommandBar } from './command-bar.js'
import { onWriteCommand } from './composer-link.js'
import { EmojiButton } from './emoji-picker.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { editLast } from './panels.js'
import { CommandList, NameList, suggestNames } from './suggestions.js'
import { Typing } from './typing.js'

/** @import { Channel, Runnable } from '../types.d.ts' */

const MAX_LENGTH = 2000
const MAX_FILES = 10

/** @param {{ channel: Channel }} props */
export function Composer({ channel }) {
  const [text, setText] = useState('')
  const [files, setFiles] = useState(/** @type {File[]} */ ([]))
  const [active, setActive] = useState(0)
  const [closed, setClosed] = useState(false)
  const [chosen, setChosen] = useState(
    /** @type {{ runnable: Runnable, values: Record<string, string>, begun: string, runs: boolean } | null} */ (null),
  )
  /** Enter was pressed while the commands were still on their way: the line is run when they are there. */
  const [held, setHeld] = useState(false)
  /** Names that were picked from the list, and the mention each stands for on the wire. */
  const names = useRef(/** @type {Map<string, string>} */ (new Map()))
  const input = useRef(/** @type {HTMLTextAreaElement | null} */ (null))
  const upload = useRef(/** @type {HTMLInputElement | null} */ (null))

  const index = may(channel, Permission.UseApplicationCommands) ? currentCommands() : undefined
  const hasCommands = index?.commands.some((command) => (command.type ?? 1) === 1) ?? false
  const allowed = maySend(channel)
  const slash = text.startsWith('/') && !text.includes('\n')
  const found = slash && !closed ? search(runnables(index), text.slice(1)) : []
  const name = /(?:^|\s)(?:([@#])([^\s@#]{0,32})|(:)(\w{2,32}))$/.exec(slash ? '' : text)
  const mark = name?.[1] ?? name?.[3] ?? ''
  const part = name?.[2] ?? name?.[4] ?? ''
  const people = name && !closed ? suggestNames(mark, part) : []
  const listed = found.length > 0 ? found.length : people.length
  const awaited = slash && found.length === 0 && may(channel, Permission.UseApplicationCommands) && commandsAreAwaited(channel)

  const begin = (
    /** @type {{ runnable: Runnable, values?: Record<string, string>, loose?: string }} */ { runnable, values = {}, loose = '' },
    runs = false,
  ) => {
    setText('')
    setHeld(false)
    setChosen({ runnable, values, begun: loose, runs })
  }
  useEffect(() => {
    onWriteCommand((wanted) => {
      const line = readLine(runnables(currentCommands()), `/${wanted} `)
      if (line) begin(line)
      else setText(`/${wanted} `)
      input.current?.focus()
    })
    return () => onWriteCommand(undefined)
  }, [])
  // The commands may arrive after the line was typed: it is read then, as if it were typed now.
  const known = state.commands.get(state.guildId ?? '@me')
  useLayoutEffect(() => {
    const line = slash && chosen === null ? readLine(runnables(index), held ? `${text} ` : text) : undefined
    if (line) begin(line, held)
    else setHeld(false)
  }, [known])
  useLayoutEffect(() => {
    if (matchMedia('(pointer: fine)').matches) input.current?.focus({ preventScroll: true })
  }, [chosen === null])
  useEffect(() => {
    if (slash && text === '/') refreshCommands()
  }, [slash && text === '/'])
  useLayoutEffect(() => {
    const area = input.current
    if (!area) return
    area.style.height = 'auto'
    area.style.height = `${Math.min(area.scrollHeight, innerHeight / 2)}px`
  }, [text, chosen])

  const change = (/** @type {string} */ value) => {
    setText(value)
    setActive(0)
    setClosed(false)
    setHeld(false)
    if (value.startsWith('/')) {
      if (!currentCommands()) void loadCommands(channel)
      const line = readLine(runnables(index), value)
      if (line) begin(line)
    } else if (value !== '') sendTyping()
  }
  const send = () => {
    let content = text.trim()
    if (content === '' && files.length === 0) return
    for (const [written, mention] of [...names.current].sort(([a], [b]) => b.length - a.length))
      content = content.replaceAll(written, mention)
    if (content.length > MAX_LENGTH) {
      toast(`A message may have at most ${MAX_LENGTH} characters; this one has ${content.length}.`, 'error')
      return
    }
    void sendMessage(content, files)
    setText('')
    setFiles([])
    names.current.clear()
  }
  const pick = (/** @type {number} */ index) => {
    const runnable = found[index]
    if (runnable) return begin({ runnable })
    const person = people[index]
    if (!person || !name) return
    if (person.written !== person.mention) names.current.set(person.written, person.mention)
    setText(`${text.slice(0, text.length - part.length - 1)}${person.written} `)
    input.current?.focus()
  }
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (listed > 0 && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault()
      setActive((active + (event.key === 'ArrowDown' ? 1 : -1) + listed) % listed)
    } else if (listed > 0 && (event.key === 'Tab' || (event.key === 'Enter' && !event.shiftKey))) {
      event.preventDefault()
      pick(active)
    } else if (awaited && event.key === 'Tab') {
      event.preventDefault()
    } else if (event.key === 'ArrowUp' && text === '') {
      event.preventDefault()
      editLast()
    } else if (event.key === 'Escape') {
      if (listed > 0) setClosed(true)
      else if (state.replyTo) update((s) => (s.replyTo = null))
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault()
      if (awaited) setHeld(true)
      else send()
    }
  }
  const canPoll = isDirect(channel) || may(channel, Permission.SendPolls)
  const addEmoji = (/** @type {import('./emoji-picker.js').Picked} */ emoji) => {
    setText(`${text}${emoji.id ? `<:${emoji.name}:${emoji.id}>` : emoji.name}`)
    input.current?.focus()
  }
  const addFiles = (/** @type {Iterable<File>} */ added) => {
    setFiles(smallEnough([...files, ...added].slice(0, MAX_FILES)))
  }

  const title = isDirect(channel)
    ? `@${channelName(channel)}`
    : isThread(channel)
      ? `"${channelName(channel)}"`
      : `#${channelName(channel)}`
  if (chosen)
    return html`<div class="composer-wrap">
      <${CommandBar} key=${`${chosen.runnable.name} ${JSON.stringify(chosen.values)}`} runnable=${chosen.runnable} values=${chosen.values} begun=${chosen.begun} runs=${chosen.runs} onLeave=${(
        /** @type {string} */ left,
      ) => {
        setText(left)
        setChosen(null)
      }} />
      <${Typing} channel=${channel} />
    </div>`

  return html`<div class="composer-wrap">
    <${ThreadNotice} channel=${channel} />
    ${found.length > 0 && html`<${CommandList} found=${found} active=${active} query=${text.slice(1)} onPick=${pick} onPoint=${setActive} />`}
    ${awaited && html`<div class="suggestions"><div class="offers-loading" role="status"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>Loading commands…</div></div>`}
    ${people.length > 0 && html`<${NameList} people=${people} active=${active} onPick=${pick} onPoint=${setActive} />`}
    ${
      state.replyTo &&
      html`<div class="reply-bar">
        <span>Replying to <strong style=${{ color: colourIn(state.replyTo.author.id, currentGuild()) }}>${nameIn(state.replyTo.author, currentGuild())}</strong></span>
        <button type="button" class="icon-button" aria-label="Cancel reply" onClick=${() => update((s) => (s.replyTo = null))}><${Icon} name="close" size=${16} /></button>
      </div>`
    }
    <div class=${classes('composer', state.replyTo && 'replying', !allowed && 'disabled')}>
      ${
        files.length > 0 &&
        html`<ul class="upload-list" aria-label="Files to send">
          ${files.map(
            (file, index) => html`<li class="upload">
              <${Icon} name="file" size=${28} /><span>${file.name}</span>
              <button type="button" class="icon-button" aria-label=${`Remove ${file.name}`} onClick=${() => setFiles(files.filter((_, other) => other !== index))}><${Icon} name="close" size=${16} /></button>
            </li>`,
          )}
        </ul>`
      }
      <div class="composer-line">
        <button type="button" class="icon-button attach" aria-label="Attach files" disabled=${!allowed} onClick=${() => upload.current?.click()}><${Icon} name="plus" size=${20} /></button>
        <input ref=${upload} type="file" multiple hidden data-testid="composer-files" onChange=${(/** @type {any} */ event) => {
          addFiles(event.target.files)
          event.target.value = ''
        }} />
        <textarea
          ref=${input}
          id="composer"
          data-testid="composer"
          rows="1"
          maxlength="4000"
          role="combobox"
          aria-autocomplete="list"
          aria-label=${allowed ? `Message ${title}` : 'You do not have permission to send messages in this channel.'}
          aria-expanded=${listed > 0}
          aria-controls=${listed > 0 ? 'composer-list' : undefined}
          aria-activedescendant=${listed > 0 ? `composer-option-${active}` : undefined}
          placeholder=${allowed ? `Message ${title}` : 'You do not have permission to send messages in this channel.'}
          disabled=${!allowed}
          value=${text}
          onInput=${(/** @type {any} */ event) => change(event.target.value)}
          onKeyDown=${onKey}
          onPaste=${(/** @type {ClipboardEvent} */ event) => {
            const pasted = [...(event.clipboardData?.files ?? [])]
            if (pasted.length > 0) addFiles(pasted)
          }}
        ></textarea>
        ${allowed && canPoll && html`<button type="button" class="icon-button" aria-label="Create a poll" onClick=${() => showPanel({ kind: 'poll', channelId: channel.id })}><${Icon} name="poll" size=${22} /></button>`}
        ${allowed && html`<${EmojiButton} label="Emoji" class="icon-button" size=${22} onPick=${addEmoji} />`}
        ${
          hasCommands &&
          allowed &&
          html`<button type="button" class="icon-button" aria-label="Use a command" onClick=${() => {
            change('/')
            input.current?.focus()
          }}><${Icon} name="slash" size=${22} /></button>`
        }
        ${(text.trim() !== '' || files.length > 0) && html`<button type="button" class="icon-button send" aria-label="Send message" onClick=${() => (awaited ? setHeld(true) : send())}><${Icon} name="send" size=${22} /></button>`}
      </div>
    </div>
    <${Below} channel=${channel} />
  </div>`
}

/** Says that a thread sleeps or is locked. @param {{ channel: Channel }} props */
function ThreadNotice({ channel }) {
  const meta = channel.thread_metadata
  if (!meta?.archived && !meta?.locked) return null
  const text = meta.locked ? 'This thread is locked.' : 'This thread is closed. A message opens it again.'
  return html`<div class="thread-notice" role="status"><${Icon} name="thread" size=${16} class="icon muted" />${text}</div>`
}

/** Who is typing, and whether the channel is slow. @param {{ channel: Channel }} props */
function Below({ channel }) {
  const seconds = channel.rate_limit_per_user ?? 0
  const wait = seconds >= 60 ? `${Math.round(seconds / 60)} min` : `${seconds} s`
  return html`<div class="below"><${Typing} channel=${channel} />${seconds > 0 && html`<span class="slow-mode" title=${`One message every ${wait}`}>Slow mode: ${wait}</span>`}</div>`
}

// Discord's markdown dialect, parsed into a tree. Pure: the tree holds text only, never HTML; drawing it is markup.js's business.

/**
 * @typedef {{ type: 'text', text: string }
 *   | { type: 'bold' | 'italic' | 'underline' | 'strike' | 'spoiler' | 'quote' | 'subtext', children: Node[] }
 *   | { type: 'heading', level: number, children: Node[] }
 *   | { type: 'list', ordered: boolean, start: number, items: Node[][] }
 *   | { type: 'code', text: string }
 *   | { type: 'block', text: string, language: string }
 *   | { type: 'link', url: string, children: Node[], title?: string }
 *   | { type: 'user' | 'role' | 'channel' | 'place', id: string }
 *   | { type: 'everyone', text: string }
 *   | { type: 'command', name: string, id: string }
 *   | { type: 'emoji', name: string, id: string, animated: boolean }
 *   | { type: 'timestamp', ms: number, style: string }
 *   | { type: 'break' }} Node
 */

/**
 * @param {string} source
 * @returns {Node[]}
 */
export function parse(source) {
  return parseBlocks(source.replaceAll('\r\n', '\n'), false)
}

const FENCE = /^```(?:([a-z0-9_+\-.#]+)\n)?\n*([\s\S]*?)\n*```/i
const HEADING = /^(#{1,3}) +([^\n]+?) *#*(?:\n|$)/
const SUBTEXT = /^-# +([^\n]+)(?:\n|$)/
const QUOTE_ALL = /^>>> ([\s\S]*)/
const QUOTE = /^(?:> ?[^\n]*(?:\n|$))+/
const LIST = /^( *)([-*]|\d+\.) +[^\n]+(?:\n(?:\1 *(?:[-*]|\d+\.) +|\1 {2,})[^\n]+)*(?:\n|$)/

/**
 * @param {string} source
 * @param {boolean} quoted quotes do not nest
 * @returns {Node[]}
 */
function parseBlocks(source, quoted) {
  /** @type {Node[]} */
  const nodes = []
  let rest = source
  let line = ''
  const flush = () => {
    if (line !== '') nodes.push(...parseInline(line))
    line = ''
  }
  let atLineStart = true
  while (rest !== '') {
    const fence = FENCE.exec(rest)
    if (fence) {
      flush()
      nodes.push({ type: 'block', language: fence[1] ?? '', text: fence[2] ?? '' })
      rest = rest.slice(fence[0].length).replace(/^\n/, '')
      atLineStart = true
      continue
    }
    const block = atLineStart ? parseBlock(rest, quoted) : undefined
    if (block) {
      if (line.endsWith('\n')) line = line.slice(0, -1)
      flush()
      nodes.push(block.node)
      rest = rest.slice(block.length)
      continue
    }
    const next = rest.search(/\n|```/)
    const end = next === -1 ? rest.length : rest[next] === '\n' ? next + 1 : Math.max(next, 1)
    line += rest.slice(0, end)
    atLineStart = rest[end - 1] === '\n'
    rest = rest.slice(end)
  }
  flush()
  return nodes
}

/**
 * @param {string} rest
 * @param {boolean} quoted
 * @returns {{ node: Node, length: number } | undefined}
 */
function parseBlock(rest, quoted) {
  const heading = HEADING.exec(rest)
  if (heading)
    return {
      node: { type: 'heading', level: heading[1]?.length ?? 1, children: parseInline(heading[2] ?? '') },
      length: heading[0].length,
    }
  const subtext = SUBTEXT.exec(rest)
  if (subtext) return { node: { type: 'subtext', children: parseInline(subtext[1] ?? '') }, length: subtext[0].length }
  if (!quoted) {
    const all = QUOTE_ALL.exec(rest)
    if (all) return { node: { type: 'quote', children: parseBlocks(all[1] ?? '', true) }, length: all[0].length }
    const quote = /^> /.test(rest) ? QUOTE.exec(rest) : null
    if (quote) {
      const inner = quote[0].replace(/\n$/, '').replaceAll(/^> ?/gm, '')
      return { node: { type: 'quote', children: parseBlocks(inner, true) }, length: quote[0].length }
    }
  }
  const list = LIST.exec(rest)
  if (list) {
    const own = sameList(list[0])
    return { node: parseList(own), length: own.length }
  }
  return undefined
}

/** A list ends where numbers follow dots at its own depth, or dots numbers. @param {string} source */
function sameList(source) {
  const [, indent = '', mark = ''] = /^( *)([-*]|\d)/.exec(source) ?? []
  const other = new RegExp(`\\n(?= {${indent.length},${indent.length + 1}}${/\d/.test(mark) ? '[-*] ' : '\\d+\\. '})`)
  const at = source.search(other)
  return at === -1 ? source : source.slice(0, at + 1)
}

/**
 * @param {string} source
 * @returns {Node}
 */
function parseList(source) {
  const lines = source.replace(/\n$/, '').split('\n')
  const indent = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0
  const first = /^ *(?:[-*]|(\d+)\.) /.exec(lines[0] ?? '')
  /** @type {string[][]} */
  const items = []
  for (const line of lines) {
    const item = new RegExp(`^ {${indent},${indent + 1}}(?:[-*]|\\d+\\.) +(.*)$`).exec(line)
    if (item) items.push([item[1] ?? ''])
    else items.at(-1)?.push(line)
  }
  return {
    type: 'list',
    ordered: first?.[1] !== undefined,
    start: Number(first?.[1] ?? 1),
    items: items.map(([head = '', ...tail]) => [
      ...parseInline(head),
      ...(tail.length > 0
        ? parseBlocks(
            tail.every((line) => /^ *(?:[-*]|\d+\.) /.test(line))
              ? tail.join('\n')
              : tail.map((line) => line.trimStart()).join('\n'),
            true,
          )
        : []),
    ]),
  }
}

/** @type {[RegExp, (match: RegExpExecArray) => Node | undefined][]} */
const INLINE = [
  [/^\\([^0-9A-Za-z\s])/, (m) => ({ type: 'text', text: m[1] ?? '' })],
  [/^(`+)([\s\S]*?[^`])\1(?!`)/, (m) => ({ type: 'code', text: (m[2] ?? '').replace(/^ (?=.*\S.*)([\s\S]*) $/, '$1') })],
  [/^<@!?(\d{15,21})>/, (m) => ({ type: 'user', id: m[1] ?? '' })],
  [/^<@&(\d{15,21})>/, (m) => ({ type: 'role', id: m[1] ?? '' })],
  [/^<#(\d{15,21})>/, (m) => ({ type: 'channel', id: m[1] ?? '' })],
  [/^<\/([^:>\n]+):(\d{15,21})>/, (m) => ({ type: 'command', name: m[1] ?? '', id: m[2] ?? '' })],
  [/^<id:(customize|browse|guide|home|linked-roles)(?::\d+)?>/, (m) => ({ type: 'place', id: m[1] ?? '' })],
  [/^<(a?):(\w{2,32}):(\d{15,21})>/, (m) => ({ type: 'emoji', animated: m[1] === 'a', name: m[2] ?? '', id: m[3] ?? '' })],
  [/^<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>/, (m) => ({ type: 'timestamp', ms: Number(m[1]) * 1000, style: m[2] ?? 'f' })],
  [/^@(everyone|here)\b/, (m) => ({ type: 'everyone', text: m[0] })],
  [
    /^\[((?:\[[^\]]*\]|[^[\]]|\](?=[^[]*\]))+)\]\(\s*<?((?:[^\s()<>]|\([^\s()]*\))+)>?(?:\s+"([^"]*)")?\s*\)/,
    (m) => link(m[2] ?? '', parseInline(m[1] ?? ''), m[3]),
  ],
  [/^<([\w.+-]+@[\w-]+\.[\w.-]+)>/, (m) => link(`mailto:${m[1]}`, [{ type: 'text', text: m[1] ?? '' }])],
  [/^<(\+\d[\d\s().-]{3,30})>/, (m) => link(`tel:${m[1]}`, [{ type: 'text', text: m[1] ?? '' }])],
  [/^<(https?:\/\/[^\s<>]+)>/, (m) => link(m[1] ?? '', [{ type: 'text', text: m[1] ?? '' }])],
  [/^https?:\/\/[^\s<]+[^<.,:;"')\]\s*_~|`]/, (m) => link(m[0], [{ type: 'text', text: m[0] }])],
  [/^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/, (m) => ({ type: 'bold', children: parseInline(m[1] ?? '') })],
  [/^__((?:\\[\s\S]|[^\\])+?)__(?!_)/, (m) => ({ type: 'underline', children: parseInline(m[1] ?? '') })],
  [/^~~((?:\\[\s\S]|[^\\])+?)~~/, (m) => ({ type: 'strike', children: parseInline(m[1] ?? '') })],
  [/^\|\|((?:\\[\s\S]|[^\\])+?)\|\|/, (m) => ({ type: 'spoiler', children: parseInline(m[1] ?? '') })],
  [
    /^\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/,
    (m) => ({ type: 'italic', children: parseInline(m[1] ?? '') }),
  ],
  [/^_((?:__|\\[\s\S]|[^\\_])+?)_(?![\w_])/, (m) => ({ type: 'italic', children: parseInline(m[1] ?? '') })],
]

/**
 * @param {string} source
 * @returns {Node[]}
 */
export function parseInline(source) {
  /** @type {Node[]} */
  const nodes = []
  let text = ''
  let at = 0
  const flush = () => {
    if (text !== '') nodes.push({ type: 'text', text })
    text = ''
  }
  while (at < source.length) {
    const found = matchAt(source, at)
    if (found) {
      flush()
      nodes.push(found.node)
      at += found.length
    } else if (source[at] === '\n') {
      flush()
      nodes.push({ type: 'break' })
      at += 1
    } else {
      text += source[at]
      at += 1
    }
  }
  flush()
  return nodes
}

const STARTS = new Set('\\`<@[h*_~|')

/**
 * @param {string} source
 * @param {number} at
 */
function matchAt(source, at) {
  const start = source[at] ?? ''
  if (!STARTS.has(start)) return undefined
  if (start === '_' && /\w/.test(source[at - 1] ?? '') && source[at + 1] !== '_') return undefined
  const rest = source.slice(at)
  for (const [pattern, build] of INLINE) {
    const match = pattern.exec(rest)
    const node = match ? build(match) : undefined
    if (match && node) return { node, length: match[0].length }
  }
  return undefined
}

/**
 * Only http, https, mailto and tel become links; anything else stays text.
 * @param {string} url
 * @param {Node[]} children
 * @param {string} [title]
 * @returns {Node | undefined}
 */
function link(url, children, title) {
  if (!/^(https?:\/\/|mailto:|tel:\+)/i.test(url)) return undefined
  return title === undefined ? { type: 'link', url, children } : { type: 'link', url, children, title }
}

const EMOJI_ONLY =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f\u20e3]|[0-9#*](?=\ufe0f?\u20e3)|\s)+$/u

/** Whether a message is nothing but emoji (Discord draws up to 30 of them large). @param {Node[]} nodes */
export function isJumbo(nodes) {
  if (nodes.length === 0) return false
  let count = 0
  for (const node of nodes) {
    if (node.type === 'emoji') count += 1
    else if (node.type === 'text' && EMOJI_ONLY.test(node.text))
      count += [...node.text.matchAll(/\p{Extended_Pictographic}/gu)].length
    else if (node.type !== 'break') return false
  }
  return count > 0 && count <= 30
}

/** The plain words of a tree, for previews and labels. @param {Node[]} nodes @returns {string} */
export function plain(nodes) {
  return nodes
    .map((node) => {
      if (node.type === 'text' || node.type === 'code' || node.type === 'block' || node.type === 'everyone') return node.text
      if (node.type === 'list') return node.items.map(plain).join(' ')
      if (node.type === 'break') return ' '
      if (node.type === 'emoji') return `:${node.name}:`
      if (node.type === 'command') return `/${node.name}`
      return 'children' in node ? plain(node.children) : ''
    })
    .join('')
}

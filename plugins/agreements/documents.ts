// The documents that partners sign: read from their files, made into one canonical text with one version, and rendered as HTML that cannot do harm.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Marked, type Token } from 'marked'
import { escapeHtml, type Html, trusted } from '../kit/index.ts'

export interface Document {
  readonly id: string
  readonly title: string
  /** The day of its last change, `2026-11-01`. */
  readonly version: string
  /** Markdown. */
  readonly text: string
}

/** All documents together: what one signature covers. */
export interface Agreement {
  /** The newest of the documents' versions. */
  readonly version: string
  readonly documents: readonly Document[]
  /** What the hash is taken of: every document with its id and version, lines ended by \n. */
  readonly canonical: string
  /** SHA-256 of the canonical text, in hex. */
  readonly hash: string
}

/** Reads the documents that come with the plugin. */
export function bundledAgreement(): Agreement {
  const read = (id: string) => parseDocument(id, readFileSync(new URL(`./documents/${id}.md`, import.meta.url), 'utf8'))
  return agreementOf(['terms', 'commission-structure', 'code-of-conduct'].map(read))
}

/** @throws Error for a file without title and version */
export function parseDocument(id: string, source: string): Document {
  const [, head = '', text = ''] = source.replaceAll('\r\n', '\n').match(/^---\n([\s\S]*?)\n---\n([\s\S]*)$/) ?? []
  const field = (name: string) => head.match(new RegExp(`^${name}: *(.+)$`, 'm'))?.[1]?.trim()
  const title = field('title')
  const version = field('version')
  if (!title || !version || !/^\d{4}-\d{2}-\d{2}$/.test(version))
    throw new Error(`The document ${id} needs a title and a version (a day such as 2026-11-01) between two lines of ---`)
  return { id, title, version, text: text.trim() }
}

export function agreementOf(documents: readonly Document[]): Agreement {
  const canonical = documents.map(({ id, title, version, text }) => `${id} ${version}\n${title}\n\n${text}\n`).join('\n')
  return {
    version: documents
      .map((document) => document.version)
      .sort()
      .at(-1)!,
    documents,
    canonical,
    hash: createHash('sha256').update(canonical).digest('hex'),
  }
}

/** The document as HTML: headings one level down, raw HTML shown as text, no pictures, links only to the web and to mail. */
export function renderDocument(document: Pick<Document, 'text'>): Html {
  return trusted(renderer.parse(document.text, { async: false }))
}

const renderer = new Marked({
  gfm: true,
  walkTokens: (token: Token) => {
    if (token.type === 'heading') token.depth = Math.min(6, token.depth + 1)
  },
  renderer: {
    html: ({ text }) => escapeHtml(text),
    image: ({ text }) => escapeHtml(text),
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens)
      return /^(https?:|mailto:)/i.test(href) ? `<a href="${escapeHtml(href)}" rel="noopener noreferrer">${words}</a>` : words
    },
  },
})

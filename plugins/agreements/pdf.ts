// The signed copy: the text of every document, then who signed what, when and how, as a PDF with the hash of the text.
import { lexer, type Token, type Tokens } from 'marked'
import { ink, openPdf, type Print, soft } from '../kit/pdf.ts'
import type { Agreement } from './documents.ts'

export interface SignedCopy {
  readonly program: string
  readonly agreement: Agreement
  readonly signature: {
    readonly id: string
    readonly typedName: string
    readonly email: string
    readonly userId: string
    readonly signedAt: Date
    readonly ipHash: string
    readonly userAgent: string
  }
}

/** The bytes of the PDF. The same input gives the same text; nothing is fetched. */
export function renderSignedCopy(copy: SignedCopy): Promise<Buffer> {
  const { program, agreement, signature } = copy
  const print = openPdf({
    title: `Partner agreement · ${program}`,
    author: program,
    subject: `Version ${agreement.version}`,
    margin: 64,
    createdAt: signature.signedAt,
  })
  const { pdf, printable } = print
  pdf.font('bold').fontSize(19).fillColor(ink).text('Partner agreement')
  pdf
    .font('plain')
    .fontSize(9.5)
    .fillColor(soft)
    .text(printable(`${program} · version ${agreement.version} · signed copy`))
    .moveDown(1)
  agreement.documents.forEach((document, i) => {
    if (i > 0) pdf.addPage()
    pdf.font('bold').fontSize(15).fillColor(ink).text(printable(document.title))
    pdf.font('plain').fontSize(8.5).fillColor(soft).text(`Version ${document.version}`).moveDown(0.6)
    for (const token of lexer(document.text)) writeBlock(print, token)
  })
  writeEvidence(print, copy)
  return print.finish(`${program} · ${signature.id}`)
}

function writeBlock({ pdf, printable }: Print, token: Token): void {
  pdf.fillColor(ink)
  const words = (inner: Token | Tokens.ListItem) => printable(wordsOf(inner))
  if (token.type === 'heading') pdf.moveDown(0.5).font('bold').fontSize(11).text(words(token)).moveDown(0.2)
  else if (token.type === 'list')
    pdf
      .font('plain')
      .fontSize(9)
      .list((token as Tokens.List).items.map(words), { bulletRadius: 1.5, lineGap: 2 })
      .moveDown(0.4)
  else if (token.type !== 'space') pdf.font('plain').fontSize(9).text(words(token), { lineGap: 2 }).moveDown(0.4)
}

function writeEvidence({ pdf, printable }: Print, { program, agreement, signature }: SignedCopy): void {
  pdf.addPage().font('bold').fontSize(15).fillColor(ink).text('Signature').moveDown(0.6)
  const shown = printable(signature.typedName)
  pdf.font('hand').fontSize(24).text(shown).moveDown(0.4)
  const rows: [string, string][] = [
    ['Signed by', signature.typedName],
    // A name in letters that the fonts do not have is proven by its characters' numbers.
    ['Typed name, exactly', shown === signature.typedName.normalize('NFC') ? '' : characters(signature.typedName)],
    ['E-mail, verified', signature.email],
    ['Discord id', signature.userId],
    ['Program', program],
    ['Time (UTC)', signature.signedAt.toISOString()],
    ['Documents', agreement.documents.map((document) => `${document.title}, version ${document.version}`).join('\n')],
    ['SHA-256 of the text', agreement.hash],
    ['Address of the computer (keyed hash)', signature.ipHash],
    ['Browser', signature.userAgent || 'not stated'],
    ['Signature id', signature.id],
  ]
  for (const [name, value] of rows) {
    if (!value) continue
    pdf.font('bold').fontSize(8.5).fillColor(soft).text(name)
    pdf.font('plain').fontSize(9).fillColor(ink).text(printable(value)).moveDown(0.5)
  }
  pdf
    .font('plain')
    .fontSize(8.5)
    .fillColor(soft)
    .text(
      'The signer opened a personal link that was sent to them, read the documents above, typed their name, agreed to sign electronically, and pressed “Sign”.',
    )
}

/** The words of a token without their markup. */
function wordsOf(token: Token | Tokens.ListItem): string {
  const inner = 'tokens' in token ? token.tokens : undefined
  if (inner && inner.length > 0) return inner.map(wordsOf).join('')
  return 'text' in token ? String(token.text) : ''
}

/** The characters of a name by number. */
const characters = (name: string): string =>
  [...name].map((sign) => `U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`).join(' ')

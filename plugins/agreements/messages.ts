// Every word about agreements in Discord and mail. Pure functions.
import { card, linkButton, literal, type Message, time } from '../../commands/messages.ts'
import type { Mail } from '../notifications/public.ts'
import type { Agreement } from './documents.ts'
import type { Signature } from './model.ts'

type Letter = Pick<Mail, 'subject' | 'paragraphs' | 'button' | 'footer'>

interface Invitation {
  program: string
  partner: string
  url: string
}

export function inviteMessage({ program, url }: Invitation): Message {
  return card({
    title: 'Your e-mail is verified. One step left: sign the agreement',
    body: [
      `Read the three documents of ${literal(program)} (terms, commission structure, code of conduct), type your name and sign. It takes about five minutes.`,
      'You get a signed copy by mail, and your partner channels open at once.',
    ],
    tone: 'good',
    rows: [[linkButton({ url, label: 'Read and sign', emoji: '✍️' })]],
    footer: 'The link is yours alone and works for 7 days. /agreement gives you a fresh one.',
  })
}

export function inviteMail({ program, partner, url }: Invitation): Letter {
  return {
    subject: `Your agreement with ${program} is ready to sign`,
    paragraphs: [
      `Hi ${partner},`,
      `your e-mail is verified. One step is left: read the three documents of ${program} and sign them. It takes about five minutes.`,
      'You get a signed copy by mail, and your partner channels in Discord open at once.',
    ],
    button: { label: 'Read and sign', url },
    footer: 'The link is yours alone and works for 7 days. For a fresh one, run /agreement in Discord.',
  }
}

interface Copy {
  program: string
  partner: string
  version: string
}

export function copyMail({ program, partner, version }: Copy): Letter {
  return {
    subject: `Your signed agreement with ${program}`,
    paragraphs: [
      `Hi ${partner},`,
      `thank you for signing. Your copy of the agreement (version ${version}) is attached; please keep it.`,
      'Everything else is waiting for you in Discord. /agreement shows your copy there at any time.',
    ],
  }
}

export function companyMail({ program, partner, version }: Copy): Letter {
  return {
    subject: `${partner} signed the agreement of ${program}`.slice(0, 200),
    paragraphs: [`${partner} has signed version ${version} of the partner agreement. The signed copy is attached.`],
  }
}

interface Renewal extends Copy {
  /** When the period of grace ends. */
  until: Date
}

export function renewMessage({ program, version, until }: Renewal): Message {
  return card({
    title: 'There is a new version of your agreement',
    body: [
      `The documents of ${literal(program)} have a new version (${version}). Please run \`/agreement\` in the server to read and sign it.`,
      `Until ${time(until, 'D')} nothing changes. After that your links earn only once you have signed; what you have earned stays yours.`,
    ],
    tone: 'warn',
  })
}

export function renewMail({ program, partner, version, until }: Renewal): Letter {
  return {
    subject: `Please sign the new agreement with ${program}`,
    paragraphs: [
      `Hi ${partner},`,
      `the documents of ${program} have a new version (${version}). Run /agreement in Discord to read and sign it.`,
      `Until ${until.toISOString().slice(0, 10)} nothing changes. After that your links earn only once you have signed; what you have earned stays yours.`,
    ],
  }
}

/** For /agreement when something is to be signed. `earlier`: what the partner signed before. */
export function toSignCard(agreement: Agreement, url: string, earlier: Signature | undefined): Message {
  const before = earlier ? [`You signed version ${earlier.version} ${time(earlier.signedAt, 'D')}. A newer version is out.`] : []
  return card({
    title: earlier ? 'Please sign the new version' : 'Your agreement is ready to sign',
    body: [...before, agreement.documents.map(({ title, version }) => `📄 ${title} · version ${version}`).join('\n')],
    tone: earlier ? 'warn' : 'neutral',
    rows: [[linkButton({ url, label: 'Read and sign', emoji: '✍️' })]],
    footer: 'The link is yours alone, works for 7 days, and voids the one in your mail. Only you see this.',
  })
}

/** For /agreement when the current version is signed, with the signed copy. */
export function signedCard(agreement: Agreement, signature: Signature, copy: { name: string; data: Buffer }): Message {
  return card({
    title: 'Your agreement is signed',
    body: agreement.documents.map(({ title, version }) => `📄 ${title} · version ${version}`).join('\n'),
    fields: [
      { name: 'Signed', value: `${time(signature.signedAt, 'f')} as ${literal(signature.typedName)}` },
      { name: 'SHA-256 of the text', value: `\`${signature.hash}\`` },
    ],
    tone: 'good',
    files: [copy],
    footer: 'Your signed copy is attached. Only you see this.',
  })
}

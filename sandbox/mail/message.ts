// What SendGrid's v3 mail/send takes and refuses. Pure: a body in, either mails (one for each recipient) or the errors SendGrid would name.

interface MailAttachment {
  filename: string
  type: string
  size: number
  content: Buffer
  disposition: 'attachment' | 'inline'
  contentId: string | null
}

/** A mail as one recipient gets it. */
export interface OutgoingMail {
  to: string
  toName: string | null
  cc: string[]
  from: string
  fromName: string | null
  replyTo: string | null
  subject: string
  text: string | null
  html: string | null
  headers: Record<string, string>
  categories: string[]
  customArgs: Record<string, string>
  attachments: MailAttachment[]
}

export interface SendGridError {
  message: string
  field: string | null
  help: string | null
}

type Reading = { ok: true; mails: OutgoingMail[]; sandboxMode: boolean } | { ok: false; errors: SendGridError[] }

const HELP = 'http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message.'
const MAX_PERSONALIZATIONS = 1000
const MAX_RECIPIENTS = 1000
const FIELDS = new Set(
  'personalizations from reply_to reply_to_list subject content attachments template_id headers categories custom_args send_at batch_id asm ip_pool_name mail_settings tracking_settings sections'.split(
    ' ',
  ),
)

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'

/** A refusal of one field, worded and linked as SendGrid does. */
function refusal(message: string, field: string, help = field): SendGridError {
  return { message, field, help: `${HELP}${help.replace(/\.\d+/g, '')}` }
}

/** Reads the body of `POST /v3/mail/send`. */
export function readMessage(body: unknown): Reading {
  if (!isObject(body)) return { ok: false, errors: [{ message: 'Bad Request', field: null, help: null }] }
  const errors: SendGridError[] = []
  for (const key of Object.keys(body))
    if (!FIELDS.has(key)) errors.push({ message: `Invalid type. Expected: known field, given: ${key}.`, field: key, help: null })
  const personalizations = Array.isArray(body.personalizations) ? body.personalizations.filter(isObject) : []
  if (personalizations.length === 0)
    errors.push(refusal('The personalizations field is required and must have at least one personalization.', 'personalizations'))
  if (personalizations.length > MAX_PERSONALIZATIONS)
    errors.push(refusal(`There is a limit of ${MAX_PERSONALIZATIONS} personalization blocks per API request.`, 'personalizations'))
  const from = readAddress(body.from)
  if (!isObject(body.from) || !isText(body.from.email))
    errors.push(
      refusal(
        'The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.  e.g. {"email" : "example@example.com"}  or {"email" : "example@example.com", "name" : "Example Recipient"}.',
        'from.email',
      ),
    )
  else if (!from) errors.push(refusal('The from email does not contain a valid address.', 'from.email'))
  const replyTo = body.reply_to === undefined ? undefined : readAddress(body.reply_to)
  if (body.reply_to !== undefined && !replyTo)
    errors.push(refusal('The reply_to email does not contain a valid address.', 'reply_to.email'))
  if (body.template_id !== undefined)
    errors.push(refusal('The template_id is not known: the sandbox keeps no templates.', 'template_id'))
  errors.push(...contentErrors(body.content))
  const attachments = readAttachments(body.attachments, errors)
  personalizations.forEach((block, index) => {
    errors.push(...recipientErrors(block, index))
    const subject = block.subject ?? body.subject
    if (!isText(subject) || subject === '')
      errors.push(
        refusal(
          'The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.',
          'subject',
        ),
      )
  })
  if (errors.length > 0) return { ok: false, errors: unique(errors) }
  const mails = personalizations.flatMap((block) => mailsOf(body, block, from!, replyTo?.email ?? null, attachments))
  const settings = isObject(body.mail_settings) ? body.mail_settings : {}
  return { ok: true, mails, sandboxMode: isObject(settings.sandbox_mode) && settings.sandbox_mode.enable === true }
}

function unique(errors: readonly SendGridError[]): SendGridError[] {
  return [...new Map(errors.map((error) => [JSON.stringify(error), error])).values()]
}

function readAddress(value: unknown): { email: string; name: string | null } | undefined {
  if (!isObject(value) || !isText(value.email) || !/^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/.test(value.email)) return undefined
  return { email: value.email, name: isText(value.name) && value.name !== '' ? value.name : null }
}

function recipientErrors(block: Json, index: number): SendGridError[] {
  const at = `personalizations.${index}`
  if (!Array.isArray(block.to) || block.to.length === 0)
    return [
      refusal(
        'The to array is required for all personalization objects, and must have at least one email object with a valid email address.',
        `${at}.to`,
      ),
    ]
  const errors: SendGridError[] = []
  const seen = new Set<string>()
  for (const kind of ['to', 'cc', 'bcc'] as const) {
    const list = Array.isArray(block[kind]) ? block[kind] : []
    if (list.length > MAX_RECIPIENTS)
      errors.push(refusal(`The ${kind} array may have at most ${MAX_RECIPIENTS} recipients.`, `${at}.${kind}`))
    list.forEach((entry, position) => {
      const address = readAddress(entry)
      if (!address)
        errors.push(refusal('Does not contain a valid address.', `${at}.${kind}.${position}.email`, `personalizations.${kind}`))
      else if (seen.has(address.email.toLowerCase()))
        errors.push(
          refusal(
            `Each email address in the personalization block should be unique between to, cc, and bcc. We found the first duplicate instance of [${address.email}] in the ${at}.${kind} field.`,
            at,
            'recipient-errors',
          ),
        )
      else seen.add(address.email.toLowerCase())
    })
  }
  return errors
}

function contentErrors(content: unknown): SendGridError[] {
  if (!Array.isArray(content) || content.length === 0)
    return [
      refusal(
        'Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required.',
        'content',
      ),
    ]
  const errors: SendGridError[] = []
  content.forEach((part, index) => {
    if (!isObject(part) || !isText(part.type) || part.type === '')
      errors.push(refusal('The content type must be provided and have a value.', `content.${index}.type`))
    if (!isObject(part) || !isText(part.value) || part.value === '')
      errors.push(refusal('The content value must be a string at least one character in length.', `content.${index}.value`))
  })
  const types = content.map((part) => (isObject(part) ? part.type : undefined))
  if (types.includes('text/plain') && types.indexOf('text/plain') !== 0)
    errors.push(
      refusal(
        'If present, text/plain and text/html may only be provided once and text/plain must be first, followed by text/html, followed by any other content.',
        'content',
      ),
    )
  return errors
}

function readAttachments(given: unknown, errors: SendGridError[]): MailAttachment[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) {
    errors.push(refusal('The attachments must be an array.', 'attachments'))
    return []
  }
  return given.flatMap((entry, index) => {
    const at = `attachments.${index}`
    if (!isObject(entry) || !isText(entry.content) || entry.content === '') {
      errors.push(refusal('The attachment content must be provided and have at least one character.', `${at}.content`))
      return []
    }
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(entry.content)) {
      errors.push(refusal('The attachment content must be base64 encoded.', `${at}.content`))
      return []
    }
    if (!isText(entry.filename) || entry.filename === '') {
      errors.push(refusal('The attachment filename must be provided and have at least one character.', `${at}.filename`))
      return []
    }
    const unknownKey = Object.keys(entry).find((key) => !['content', 'type', 'filename', 'disposition', 'content_id'].includes(key))
    if (unknownKey) errors.push(refusal(`Invalid field: ${unknownKey}.`, `${at}.${unknownKey}`))
    if (entry.disposition !== undefined && entry.disposition !== 'attachment' && entry.disposition !== 'inline')
      errors.push(refusal('The attachment disposition must be either "attachment" or "inline".', `${at}.disposition`))
    const content = Buffer.from(entry.content, 'base64')
    return [
      {
        filename: entry.filename,
        type: isText(entry.type) ? entry.type : 'application/octet-stream',
        size: content.length,
        content,
        disposition: entry.disposition === 'inline' ? ('inline' as const) : ('attachment' as const),
        contentId: isText(entry.content_id) ? entry.content_id : null,
      },
    ]
  })
}

function mailsOf(
  body: Json,
  block: Json,
  from: { email: string; name: string | null },
  replyTo: string | null,
  attachments: MailAttachment[],
): OutgoingMail[] {
  const substitute = (text: string | null): string | null =>
    text === null
      ? null
      : Object.entries(textMap(block.substitutions)).reduce((result, [key, value]) => result.replaceAll(key, value), text)
  const part = (type: string): string | null => {
    const found = (body.content as Json[]).find((entry) => entry.type === type)
    return found ? String(found.value) : null
  }
  const addresses = (kind: string) => (Array.isArray(block[kind]) ? block[kind] : []).flatMap((entry) => readAddress(entry) ?? [])
  const common = {
    cc: addresses('cc').map(({ email }) => email),
    from: from.email,
    fromName: from.name,
    replyTo,
    subject: substitute(String(block.subject ?? body.subject))!,
    text: substitute(part('text/plain')),
    html: substitute(part('text/html')),
    headers: { ...textMap(body.headers), ...textMap(block.headers) },
    categories: Array.isArray(body.categories) ? body.categories.filter(isText) : [],
    customArgs: { ...textMap(body.custom_args), ...textMap(block.custom_args) },
    attachments,
  }
  return ['to', 'cc', 'bcc'].flatMap(addresses).map(({ email, name }) => ({ ...common, to: email, toName: name }))
}

function textMap(value: unknown): Record<string, string> {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, String(entry)])) : {}
}

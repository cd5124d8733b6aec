// Sends mail through SendGrid's v3 API with its own SDK. The only file that knows the vendor.
import sendgrid from '@sendgrid/mail'
import type { MailOutcome, MailPort, OutgoingMail } from './service.ts'

export interface SendGridOptions {
  apiKey: string
  /** `partners@example.com` or `Example Partners <partners@example.com>`. */
  from: string
  /** Another base address, for the EU region (https://api.eu.sendgrid.com/) or for tests. */
  baseUrl: string | undefined
}

const timeoutMs = 20_000

/** The package exports its class and the class its client; its types name neither. */
type Service = typeof sendgrid & { client: { setDefaultRequest(key: 'baseUrl', value: string): void } }
const { MailService } = sendgrid as unknown as { MailService: new () => Service }

/** A mailer with an SDK instance of its own: the package's default instance is shared by whoever imports it. */
export function createSendGridMailer({ apiKey, from, baseUrl }: SendGridOptions): MailPort {
  const service = new MailService()
  service.setApiKey(apiKey)
  service.setTimeout(timeoutMs)
  // After the key, because setApiKey() resets the base address.
  if (baseUrl) service.client.setDefaultRequest('baseUrl', baseUrl)
  const sender = parseSender(from)

  return {
    send: async (mail) => {
      try {
        const [response] = await service.send(toSendGrid(mail, sender))
        return { outcome: 'sent', providerId: (response.headers as Record<string, string>)['x-message-id'] }
      } catch (error) {
        const refusal = readRefusal(error)
        if (refusal) return refusal
        throw error
      }
    },
  }
}

function toSendGrid(mail: OutgoingMail, sender: { email: string; name: string | undefined }) {
  return {
    to: mail.to,
    from: { email: sender.email, name: sender.name ?? mail.program },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    customArgs: { mail_id: mail.id },
    ...(mail.attachments.length > 0 && {
      attachments: mail.attachments.map(({ filename, type, data }) => ({
        filename,
        type,
        content: data,
        disposition: 'attachment',
      })),
    }),
    // Links act for the reader, so they go out as they are; opening a mail is nobody's business.
    trackingSettings: { clickTracking: { enable: false, enableText: false }, openTracking: { enable: false } },
  }
}

/** The meaning of an answer (https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses), or undefined when a retry may help. */
function readRefusal(error: unknown): Exclude<MailOutcome, { outcome: 'sent' }> | undefined {
  const { code, response } = error as {
    code?: unknown
    response?: { body?: { errors?: { message?: string; field?: string | null }[] } }
  }
  if (typeof code !== 'number' || code < 400 || code >= 500 || code === 408 || code === 429) return undefined
  const errors = response?.body?.errors ?? []
  const detail = errors.map(({ message, field }) => (field ? `${field}: ${message}` : message)).join('; ')
  return {
    outcome: code === 401 || code === 403 ? 'unusable' : 'refused',
    reason: `SendGrid answered ${code}: ${detail || 'no reason given'}`.slice(0, 1000),
  }
}

function parseSender(from: string): { email: string; name: string | undefined } {
  const named = from.match(/^\s*"?(.*?)"?\s*<([^<>]+)>\s*$/)
  return named ? { email: named[2]!, name: named[1] || undefined } : { email: from.trim(), name: undefined }
}

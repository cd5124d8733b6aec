// Signing secrets of webhooks: made, kept encrypted, and used to sign as Standard Webhooks wants it. Pure.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

/** A new secret in the form that libraries for Standard Webhooks take: `whsec_` and 32 random bytes in base64. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** The secret as it is stored: AES-256-GCM under a key that is not in the database. */
export function encrypt(secret: string, key: Buffer): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text])
}

/** @throws Error when it was encrypted under another key, or changed */
export function decrypt(stored: Buffer, key: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, stored.subarray(0, 12))
  decipher.setAuthTag(stored.subarray(12, 28))
  return Buffer.concat([decipher.update(stored.subarray(28)), decipher.final()]).toString('utf8')
}

/** The headers of a message by https://www.standardwebhooks.com: one signature for each secret that holds at the moment. */
export function signedHeaders(
  message: { id: string; at: Date; body: string },
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(message.at.getTime() / 1000)
  const sign = (secret: string) =>
    createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
      .update(`${message.id}.${timestamp}.${message.body}`)
      .digest('base64')
  return {
    'content-type': 'application/json',
    'user-agent': 'SISO-Webhooks/1',
    'webhook-id': message.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets.map((secret) => `v1,${sign(secret)}`).join(' '),
  }
}

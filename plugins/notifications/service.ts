// Mails and Discord messages to people, written as rows within the caller's transaction. Knows no mail vendor: sending goes through the port.
import { and, asc, desc, eq, gt, inArray, isNotNull, lt, sql } from 'drizzle-orm'
import type { Message } from '../../commands/messages.ts'
import {
  type Clock,
  type Db,
  type DiscordEffects,
  days,
  type Enqueue,
  hours,
  type Job,
  newId,
  type Programs,
  type Reader,
  type Tx,
} from '../kit/index.ts'
import { type LetterContent, renderLetter } from './letter.ts'
import { inboxChannel, type Mail, type MailHealth, type Notifications } from './public.ts'
import { type MailRow, mails, type StoredMessage, tells } from './tables.ts'

export interface OutgoingMail {
  /** Travels with the mail, so that the vendor's reports can be matched. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Shown as the sender's name when the configured sender has none. */
  readonly program: string
  readonly attachments: NonNullable<LetterContent['attachments']>
}

/** `refused`: this mail will never be taken. `unusable`: the account or sender is not accepted, so no mail will be until someone mends it. */
export type MailOutcome =
  | { readonly outcome: 'sent'; readonly providerId: string | undefined }
  | { readonly outcome: 'refused' | 'unusable'; readonly reason: string }

/** Sends mail. */
export interface MailPort {
  /** @throws when it may be tried again */
  send(mail: OutgoingMail): Promise<MailOutcome>
}

/** How long an unsent mail is worth sending late; its links last no longer than that. */
const worthSendingMs = hours(24)
const messagesKeptMs = days(30)
const mailsKeptMs = days(365)

export interface NotificationService extends Notifications {
  /** Sends one mail unless that was done. A crash between the vendor's yes and the record sends it twice: the vendor knows no idempotency key. */
  sendMail(id: string): Promise<void>
  /** Sends what was kept back, once mail works. */
  retryUnsent(): Promise<void>
  /** A direct message was refused: the same words go to a private thread. Keys of other plugins' messages are not ours and ignored. */
  useThread(tx: Tx, refused: { programId: string; userId: string; key: string }): Promise<void>
  /** Erases what is no longer needed. */
  forgetOld(): Promise<void>
  recentMails(reader: Reader, programId: string, limit: number): Promise<MailRow[]>
}

export function createNotificationService(ports: {
  db: Db
  clock: Clock
  enqueue: Enqueue
  discord: DiscordEffects
  programs: Programs
  /** Undefined when no mail account is configured. */
  mailer: MailPort | undefined
  sendJob: Job<{ id: string }>
}): NotificationService {
  const { db, clock, enqueue, discord, programs, mailer, sendJob } = ports

  const askToSend = (tx: Tx, rows: readonly { id: string; programId: string }[]) =>
    enqueue.many(
      tx,
      sendJob,
      rows.map(({ id, programId }) => ({ payload: { id }, programId, dedupeKey: id })),
    )

  return {
    mail: async (tx, ...letters) => {
      if (letters.length === 0) return
      const now = clock.now()
      const rows = await tx
        .insert(mails)
        .values(
          letters.map(({ programId, key, to, userId, subject, ...content }) => ({
            id: newId(now),
            programId,
            key,
            recipient: to,
            userId: userId ?? null,
            subject: subject.slice(0, 200),
            content: contentOf(content),
            createdAt: now,
          })),
        )
        .onConflictDoNothing()
        .returning({ id: mails.id, programId: mails.programId })
      await askToSend(tx, rows)
    },

    tell: async (tx, ...all) => {
      const now = clock.now()
      const wishes = all.filter(({ userId }) => isDiscordId(userId))
      const rows = await tx.execute<{ program_id: string; key: string }>(sql`
        insert into notifications_tells (id, program_id, key, user_id, message, created_at)
        select id, program_id, key, user_id, message, ${now.toISOString()}::timestamptz
        from jsonb_to_recordset(${JSON.stringify(
          wishes.map(({ programId, key, userId, message }) => ({
            id: newId(now),
            program_id: programId,
            key,
            user_id: userId,
            message: store(message),
          })),
        )}::text::jsonb) as t (id uuid, program_id uuid, key text, user_id text, message jsonb)
        on conflict do nothing returning program_id, key`)
      const fresh = new Set(rows.map((row) => `${row.program_id} ${row.key}`))
      await discord.direct(
        tx,
        ...wishes
          .filter(({ programId, key }) => fresh.delete(`${programId} ${key}`))
          .map((wish) => ({ ...wish, key: messageKey(wish.key) })),
      )
    },

    mailHealth: async (reader, programId): Promise<MailHealth> => {
      const rows = await reader
        .select({ state: mails.state, count: sql<number>`count(*)::int` })
        .from(mails)
        .where(and(eq(mails.programId, programId), inArray(mails.state, ['waiting', 'unsent', 'refused'])))
        .groupBy(mails.state)
      const count = (state: MailRow['state']) => rows.find((row) => row.state === state)?.count ?? 0
      return { configured: mailer !== undefined, waiting: count('waiting'), unsent: count('unsent'), refused: count('refused') }
    },

    sendMail: async (id) => {
      const [row] = await db.select().from(mails).where(eq(mails.id, id))
      if (!row?.content || row.state === 'sent' || row.state === 'refused') return
      const record = (change: Partial<MailRow>) => db.update(mails).set(change).where(eq(mails.id, id))
      if (!mailer) return void (await record({ state: 'unsent', reason: 'no mail account is configured' }))
      const program = (await programs.byId(db, row.programId)).name
      const result = await mailer
        .send({
          id,
          to: row.recipient,
          subject: row.subject,
          program,
          ...renderLetter(row.subject, row.content, program),
          attachments: row.content.attachments ?? [],
        })
        .catch(async (error: unknown) => {
          await record({ reason: `will be tried again: ${error instanceof Error ? error.message : String(error)}`.slice(0, 1000) })
          throw error
        })
      const finished = { content: null, finishedAt: clock.now() }
      if (result.outcome === 'sent')
        await record({ ...finished, state: 'sent', providerId: result.providerId ?? null, reason: null })
      else if (result.outcome === 'refused') await record({ ...finished, state: 'refused', reason: result.reason })
      else await record({ state: 'unsent', reason: result.reason })
    },

    retryUnsent: async () => {
      if (!mailer) return
      const since = new Date(clock.now().getTime() - worthSendingMs)
      const rows = await db
        .select({ id: mails.id, programId: mails.programId })
        .from(mails)
        .where(and(eq(mails.state, 'unsent'), gt(mails.createdAt, since)))
        .orderBy(asc(mails.id))
      await db.transaction((tx) => askToSend(tx, rows))
    },

    useThread: async (tx, { programId, userId, key }) => {
      const own = ownKey(key)
      if (own === undefined) return
      const mine = and(eq(tells.programId, programId), eq(tells.key, own), eq(tells.userId, userId), isNotNull(tells.message))
      const [row] = await tx.update(tells).set({ threadedAt: clock.now() }).where(mine).returning({ message: tells.message })
      if (!row) return
      const message = restore(row.message!)
      await discord.privateThread(tx, {
        programId,
        key: `${key}:thread`,
        userId,
        channel: inboxChannel,
        title: titleOf(message),
        message,
      })
    },

    forgetOld: async () => {
      const before = (ms: number) => new Date(clock.now().getTime() - ms)
      await db
        .update(tells)
        .set({ message: null })
        .where(and(isNotNull(tells.message), lt(tells.createdAt, before(messagesKeptMs))))
      await db.delete(mails).where(lt(mails.createdAt, before(mailsKeptMs)))
    },

    recentMails: (reader, programId, limit) =>
      reader.select().from(mails).where(eq(mails.programId, programId)).orderBy(desc(mails.createdAt), desc(mails.id)).limit(limit),
  }
}

/** Everything that is stored about the person, for the privacy export. */
export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return {
    mails: await reader
      .select({ to: mails.recipient, subject: mails.subject, state: mails.state, at: mails.createdAt })
      .from(mails)
      .where(and(eq(mails.programId, programId), eq(mails.userId, userId))),
    messages: await reader
      .select({ key: tells.key, at: tells.createdAt, message: tells.message })
      .from(tells)
      .where(and(eq(tells.programId, programId), eq(tells.userId, userId))),
  }
}

/** Erases what is stored about the person. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(mails).where(and(eq(mails.programId, programId), eq(mails.userId, userId)))
  await tx.delete(tells).where(and(eq(tells.programId, programId), eq(tells.userId, userId)))
}

/** In the place of an erased person's id stands something else, and there is nobody to write to. */
const isDiscordId = (userId: string) => /^\d+$/.test(userId)

const prefix = 'notifications:'
const messageKey = (key: string) => `${prefix}${key}`
const ownKey = (key: string) => (key.startsWith(prefix) ? key.slice(prefix.length) : undefined)

function contentOf({ paragraphs, button, footer, attachments }: Omit<Mail, 'to' | 'userId' | 'subject'>): LetterContent {
  return {
    paragraphs,
    ...(button && { button }),
    ...(footer !== undefined && { footer }),
    ...(attachments && { attachments: attachments.map((file) => ({ ...file, data: file.data.toString('base64') })) }),
  }
}

function store({ files, ...rest }: Message): StoredMessage {
  return { ...rest, ...(files && { files: files.map((file) => ({ ...file, data: file.data.toString('base64') })) }) }
}

function restore({ files, ...rest }: StoredMessage): Message {
  return { ...rest, ...(files && { files: files.map((file) => ({ ...file, data: Buffer.from(file.data, 'base64') })) }) }
}

/** The thread is named after the message's heading. */
function titleOf(message: Message): string {
  const heading = JSON.stringify(message.components).match(/"content":"## ((?:[^"\\]|\\.)*)"/)?.[1]
  const title =
    heading &&
    (JSON.parse(`"${heading}"`) as string)
      .split('\n')[0]!
      .replace(/\\([\\*_~`|>#[\]()<@:-])/g, '$1')
      .trim()
  return title || 'A message for you'
}

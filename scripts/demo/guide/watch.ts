// Watches what really happens, for the guide: as a second Discord client of each person, and in the vendors' worlds. It asks nothing of the program.
import type Stripe from 'stripe'
import { type Identity, openClient, type Person, textOf } from '../person.ts'
import { type GuideStep, nothingSeen, type Seen, stepsOf } from './steps.ts'

export interface Guide {
  steps(): GuideStep[]
  /** Looks at once, instead of at the next turn. */
  look(): Promise<void>
  close(): void
}

/** The part of the world that the guide looks at. */
export interface Watched {
  readonly sandbox: { readonly urls: { discord: { api: string }; sendgrid: string; shop: string; stripe: string; paypal: string } }
  readonly guildId: string
  readonly admin: Identity
  readonly stripe: Stripe
  control<T>(method: string, url: string, body?: unknown): Promise<T>
}

interface Letter {
  at: string
  to: string
  subject: string
  attachments: { type: string }[]
}

const everyMs = 1_500

/** Begins to watch. Whoever is in the sandbox by now, the owner excepted, belongs to the past and is not followed. */
export async function startGuide(world: Watched): Promise<Guide> {
  const { control, guildId, admin, stripe } = world
  const { urls } = world.sandbox
  const began = Date.now()
  const earlier = new Set((await peopleOf(world)).map(({ id }) => id))
  const clients = new Map<string, Person>()
  let seen: Seen = nothingSeen
  let closed = false

  const note = (more: Partial<Seen>) => {
    seen = { ...seen, ...more }
  }

  async function look(): Promise<void> {
    for (const person of await peopleOf(world))
      if ((person.id === admin.id || !earlier.has(person.id)) && !clients.has(person.id)) await follow(person)
    lookAtPeople()
    await lookAtMail()
    await lookAtMoney()
  }

  async function follow(identity: Identity): Promise<void> {
    const own = identity.id === admin.id
    const client = await openClient({
      identity,
      api: urls.discord.api,
      guildId,
      onEvent: (name, data) => (own ? hearAdmin(name, data) : hearNewcomer(identity, name, data)),
    })
    if (closed) client.leave()
    else clients.set(identity.id, client)
  }

  function hearAdmin(name: string, data: Record<string, unknown>): void {
    const answer = answerOf(name, data)
    if (answer?.command === 'admin commissions hold' && /\b0 days/.test(answer.text)) note({ payable: true })
    if (answer?.command === 'admin settings set' && /methodCoolingHours/i.test(answer.text) && /\b0\b/.test(answer.text))
      note({ noCooling: true })
    if (answer?.command === 'admin payouts dry-run') note({ dryRun: true })
  }

  function hearNewcomer(identity: Identity, name: string, data: Record<string, unknown>): void {
    if (name === 'GUILD_MEMBER_UPDATE' && (data.user as { id?: string } | undefined)?.id === identity.id)
      if ((data.roles as string[]).length > 0 && !seen.opened) note({ opened: true, newcomer: identity })
    const answer = answerOf(name, data)
    if (!answer) return
    const link = /https?:\/\/[^\s)*`]+\/r\/[\w-]+/.exec(answer.text)?.[0]
    if (link && answer.command === 'link create') note({ link })
    if (answer.command === 'earnings show' && /\$[1-9]/.test(answer.text)) note({ sawEarnings: true })
    if (answer.command === 'payout status' && /ready/i.test(answer.text) && !/not ready/i.test(answer.text))
      note({ hasMethod: true })
    if (seen.bought && (answer.command === 'badges show' || answer.command === 'leaderboard show')) note({ celebrated: true })
  }

  function lookAtPeople(): void {
    if (
      clients
        .get(admin.id)
        ?.channels()
        .some(({ name }) => name === 'welcome')
    )
      note({ setUp: true })
    const newcomers = [...clients.values()].filter(({ id }) => id !== admin.id)
    const joined = newcomers.find((client) => client.channels().length > 0)
    // Of several newcomers the first who becomes a partner is followed.
    if (!seen.opened) note({ newcomer: joined ?? newcomers[0] })
    if (joined) note({ joined: true })
  }

  async function lookAtMail(): Promise<void> {
    if (!seen.newcomer) return
    const letters = (await control<Letter[]>('GET', `${urls.sendgrid}/sandbox/mail`)).filter(({ at }) => Date.parse(at) >= began)
    const asked = letters.filter(({ subject }) => /confirm|verif/i.test(subject))
    if (asked[0]) note({ registered: asked[0].to })
    const about = letters.filter(({ to }) => asked.some((letter) => letter.to === to))
    if (about.some(({ subject }) => /agreement|sign/i.test(subject))) note({ confirmed: true })
    if (about.some(({ attachments }) => attachments.some(({ type }) => type === 'application/pdf'))) note({ signed: true })
    if (about.some(({ subject }) => /paid|payout/i.test(subject))) note({ sentMoney: true })
  }

  async function lookAtMoney(): Promise<void> {
    if (!seen.link) return
    const since = { gte: Math.floor(began / 1000) }
    const sessions = await stripe.checkout.sessions.list({ created: since, limit: 50 })
    if (sessions.data.some((session) => session.status === 'complete' && session.client_reference_id)) note({ bought: true })
    const accounts = await stripe.accounts.list({ created: since, limit: 50 })
    if (accounts.data.some((account) => account.payouts_enabled)) note({ hasMethod: true })
    const transfers = await stripe.transfers.list({ created: since, limit: 10 })
    const { batches } = await control<{ batches: { time_created: string }[] }>('GET', `${urls.paypal}/sandbox/paypal`)
    if (transfers.data.length > 0 || batches.some(({ time_created: at }) => Date.parse(at) >= began))
      note({ sentMoney: true, hasMethod: true })
  }

  let timer: NodeJS.Timeout | undefined
  /** What cannot be seen now, because something is just being restarted, is seen at the next turn. */
  const turn = async () => {
    await look().catch(() => {})
    if (!closed) timer = setTimeout(turn, everyMs)
  }
  void turn()

  return {
    steps: () => stepsOf(seen, admin, { shop: urls.shop, stripe: `${urls.stripe}/dashboard` }),
    look,
    close: () => {
      closed = true
      clearTimeout(timer)
      for (const client of clients.values()) client.leave()
    },
  }
}

const peopleOf = ({ control }: Watched) => control<Identity[]>('GET', '/sandbox/people')

/** The words of a command's answer, new or edited, and the command's name. */
function answerOf(name: string, data: Record<string, unknown>): { command: string; text: string } | undefined {
  if (name !== 'MESSAGE_CREATE' && name !== 'MESSAGE_UPDATE') return undefined
  const { interaction, interaction_metadata: metadata } = data as Record<string, { name?: string } | undefined>
  const command = interaction?.name ?? metadata?.name
  return command === undefined ? undefined : { command, text: textOf(data as never) }
}

// Gets a demo with a past ready for its pictures: somebody who has just come, letters to open, a thread, a checkout. Uses what people and vendors can see.
import type { DemoHost } from '../demo/host.ts'
import type { Identity, Person } from '../demo/person.ts'
import { until } from '../demo/steps.ts'

export interface Stage {
  readonly client: (who: Identity) => string
  readonly admin: Identity
  /** A partner of long standing. */
  readonly partner: Identity
  /** In the server, not registered yet. */
  readonly newcomer: Identity
  /** Not in the server yet. */
  readonly stranger: Identity
  /** Pages for somebody who is on the way. */
  readonly verifyUrl: string
  readonly usedVerifyUrl: string
  readonly signUrl: string
  readonly signedUrl: string
  readonly linkUrl: string
  readonly checkoutUrl: string
  readonly thanksUrl: string
  readonly threadName: string
  /** Has a run of payouts wait for the admin; the same one however often it is asked for. Until then nothing waits. */
  readonly payoutsWait: () => Promise<void>
}

interface Letter {
  text: string
}

export async function setStage({ world }: DemoHost): Promise<Stage> {
  const { sandbox, publicUrl, control, admin, stripe } = world
  const { urls } = sandbox
  const everybody = await control<Identity[]>('GET', '/sandbox/people')
  const partner = everybody.find(({ username }) => username.startsWith('wanda'))!
  const stranger = await world.newPerson('grace')
  const newcomer = await world.newPerson('katherine')
  await world.join(newcomer)

  const ada = await world.join(await world.newPerson('ada'))
  const linus = await world.join(await world.newPerson('linus'))
  await register(ada, 'Ada Lovelace', 'ada@lovelace.example')
  await register(linus, 'Linus Pauling', 'linus@pauling.example')
  const letter = (to: string, path: string) =>
    until(`a letter to ${to} with ${path}`, async () => {
      const letters = await control<Letter[]>('GET', `${urls.sendgrid}/sandbox/mail?to=${encodeURIComponent(to)}`)
      return letters.map(({ text }) => new RegExp(`https?://[^\\s"<>]+${path}[\\w-]+`).exec(text)?.[0]).find(Boolean)
    })
  const usedVerifyUrl = await letter('ada@lovelace.example', '/verify/')
  const verifyUrl = await letter('linus@pauling.example', '/verify/')
  await fetch(usedVerifyUrl, { method: 'POST' })
  const signUrl = await letter('ada@lovelace.example', '/agreements/')

  // Stripe tells of accounts that are no partner's: their events are parked.
  for (let i = 0; i < 12; i++) {
    const { id } = await stripe.accounts.create({ type: 'express', country: 'US', email: `guest${i}@example.com` })
    await stripe.accounts.update(id, { metadata: { shop: 'elsewhere' } })
  }

  let waiting: Promise<void> | undefined
  async function runAsDeputy(): Promise<void> {
    await admin.run('admin settings set', { setting: 'payouts approvalAbove', value: '100.00' })
    const deputy = await world.openClient(everybody.find(({ username }) => username === 'otis')!)
    await deputy.run('admin payouts run')
    deputy.leave()
  }

  const wanda = await world.openClient(partner)
  const link = JSON.stringify((await wanda.run('link list')).message)
  const linkUrl = new RegExp(`${publicUrl}/r/[\\w-]+`).exec(link)![0]
  const general = wanda.channels().find(({ name }) => name === 'general')!
  const threadName = 'Offers for hotels'
  await discuss(urls.discord.api, general.id, threadName, partner, admin)
  return {
    client: ({ token }) => `${urls.discord.client}/?token=${encodeURIComponent(token)}`,
    admin,
    partner,
    newcomer,
    stranger,
    verifyUrl,
    usedVerifyUrl,
    signUrl,
    signedUrl: await signedBySomebody(world, letter),
    linkUrl,
    checkoutUrl: await checkout(urls.shop, 'website-build'),
    thanksUrl: await thanks(world),
    threadName,
    payoutsWait: () => (waiting ??= runAsDeputy()),
  }
}

async function register(person: Person, name: string, email: string): Promise<void> {
  const { form } = await person.run('start')
  await person.submit(form!, { 'Your name': name, 'Your e-mail': email, name, email, industry: 'saas' })
}

async function signedBySomebody(world: DemoHost['world'], letter: (to: string, path: string) => Promise<string>): Promise<string> {
  const mary = await world.join(await world.newPerson('mary'))
  await register(mary, 'Mary Somerville', 'mary@somerville.example')
  await fetch(await letter('mary@somerville.example', '/verify/'), { method: 'POST' })
  const url = await letter('mary@somerville.example', '/agreements/')
  await fetch(url, { method: 'POST', body: new URLSearchParams({ name: 'Mary Somerville', consent: 'yes' }) })
  return url
}

async function discuss(api: string, channel: string, name: string, starter: Identity, other: Identity): Promise<void> {
  const post = async (path: string, token: string, body: object) => {
    const answer = await fetch(`${api}/v9${path}`, {
      method: 'POST',
      headers: { authorization: token, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await answer.json()) as { id: string }
  }
  const question = await post(`/channels/${channel}/messages`, starter.token, {
    content: 'Has anybody offered **care plans** to hotels? Mine asks whether weekends are included.',
  })
  const thread = await post(`/channels/${channel}/messages/${question.id}/threads`, starter.token, { name })
  await post(`/channels/${thread.id}/messages`, other.token, {
    content: 'They are: one working day, and backups *every* day. I pinned the sheet.',
  })
  await post(`/channels/${thread.id}/messages`, starter.token, { content: `Perfect, thank you <@${other.id}> 🎉` })
}

async function checkout(shop: string, product: string): Promise<string> {
  const answer = await fetch(`${shop}/buy/${product}`, { method: 'POST', redirect: 'manual' })
  return answer.headers.get('location')!
}

async function thanks({ sandbox, control }: DemoHost['world']): Promise<string> {
  const { shop, stripe } = sandbox.urls
  const session = /cs_[a-zA-Z0-9_]+/.exec(await checkout(shop, 'ai-workshop'))![0]
  await control('POST', `${stripe}/sandbox/stripe/checkout/${session}/pay`, {
    email: 'guest@example.com',
    name: 'A Guest',
    country: 'US',
  })
  return `${shop}/thanks?session_id=${session}`
}

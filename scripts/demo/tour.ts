// The main job from the outside, in the order a partner lives it. Every step uses only what people and vendors can see: Discord, mail, web pages, Stripe.
import type { APIMessage } from 'discord-api-types/v10'
import { controls, type OpenForm, type Outcome, type Person, textOf } from './person.ts'
import { expect, type Step, until } from './steps.ts'
import { html as decodeHtml } from './text.ts'
import type { World } from './world.ts'

export interface Tour {
  readonly world: World
  ada?: Person
  draft?: APIMessage
  signingUrl?: string
  link?: string | undefined
  /** Where the click led. */
  landing?: URL
  session?: string
}

interface MailView {
  subject: string
  text: string
  html: string
  attachments: { filename: string; type: string; url: string }[]
}

const email = 'ada@lovelace.example'
const mistypedEmail = 'ada@lovelace.exmaple'
const browser = {
  'user-agent':
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_2) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Safari/605.1.15',
  accept: 'text/html,*/*',
}

/** What the shop sells for the tour, in minor units, and what its partner earns of it. */
const price = 250_000n
const commission = 50_000n
const refund = 50_000n
const commissionAfterRefund = 40_000n

export const tourSteps: readonly Step<Tour>[] = [
  {
    name: 'boot',
    run: async ({ world }) => {
      const ready = await fetch(`${world.publicUrl}/health/ready`)
      const state = (await ready.json()) as { ok: boolean }
      expect(ready.status === 200 && state.ok, 'a ready program', state)
      return `database, queue, web server and bot ready in ${world.bootMs} ms`
    },
  },
  {
    name: 'blueprint applied',
    run: async ({ world: { admin } }) => {
      const answer = messageOf(await admin.run('admin setup'))
      await until(
        'a server that was set up',
        async () => /is set up/.test(textOf(admin.latest(answer))),
        () => textOf(admin.latest(answer)),
      )
      const again = textOf(messageOf(await admin.run('admin setup')))
      expect(/Nothing was changed/.test(again), 'a second run that changes nothing', again)
      const channels = admin.channels()
      const welcome = channels.find((channel) => channel.name === 'welcome')
      expect(
        welcome,
        'a channel “welcome”',
        channels.map((channel) => channel.name),
      )
      await until('the notice in #welcome', async () =>
        (await admin.messages(welcome.id)).some((message) => textOf(message).includes('Become a partner')),
      )
      return `${channels.length} channels: ${names(channels)}; a second run changes nothing`
    },
  },
  {
    name: 'join',
    run: async (tour) => {
      tour.ada = await tour.world.join(await tour.world.newPerson('ada'))
      const visible = tour.ada.channels()
      const categories = tour.ada.categories()
      const parents = new Set(
        visible.map(
          (channel) => categories.find((category) => category.id === ('parent_id' in channel ? channel.parent_id : null))?.name,
        ),
      )
      expect(
        visible.length > 0 && parents.size === 1 && parents.has('Welcome'),
        'only the channels of the category Welcome',
        visible.map((channel) => channel.name),
      )
      return `ada sees ${names(visible)} and nothing else`
    },
  },
  {
    name: 'a bad e-mail is refused',
    run: async (tour) => {
      const form = formOf(await ada(tour).run('start'))
      const refused = messageOf(await ada(tour).submit(form, fill(form, 'ada@nowhere')))
      tour.draft = refused
      const text = textOf(refused)
      expect(/e-mail/i.test(text) && !/registered/i.test(text), 'a clear sentence about the e-mail', text)
      const again = formOf(await ada(tour).press(refused, 'Try again'))
      const kept = again.components.map((label) => label.component?.value)
      expect(kept.includes('ada@nowhere'), 'the form with what was typed', kept)
      return `“${firstLine(text)}”, and the form opens again with what was typed`
    },
  },
  {
    name: 'registration accepted',
    run: async (tour) => {
      const form = formOf(await ada(tour).press(tour.draft!, 'Try again'))
      const accepted = messageOf(await ada(tour).submit(form, fill(form, mistypedEmail)))
      expect(textOf(accepted).includes(mistypedEmail), 'a card that names the address', textOf(accepted))
      await mail(tour, /confirm|verif/i, mistypedEmail)
      const change = formOf(await ada(tour).press(accepted, 'Change e-mail'))
      const text = textOf(messageOf(await ada(tour).submit(change, fill(change, email))))
      expect(text.includes(email), 'a card that names the right address', text)
      return `${lineWith(text, /mail/i) || firstLine(text)}, after the first address was mistyped and changed`
    },
  },
  {
    name: 'e-mail verified, once',
    run: async (tour) => {
      const fresh = linkIn(await mail(tour, /confirm|verif/i), '/verify/')
      const old = linkIn(await mail(tour, /confirm|verif/i, mistypedEmail), '/verify/')
      const expired = await fetch(old, { headers: browser })
      expect(expired.status === 410, 'status 410 for the link that the change of address made void', expired.status)
      const tampered = await fetch(`${fresh.slice(0, -4)}AAAA`, { headers: browser })
      expect(tampered.status === 404, 'status 404 for a tampered link', tampered.status)
      const opened = await fetch(fresh, { headers: browser })
      expect(opened.status === 200, 'the page behind the link', opened.status)
      const confirmed = await fetch(fresh, { method: 'POST', headers: browser })
      expect(confirmed.status === 200, 'the confirmation', `${confirmed.status} ${pageText(await confirmed.text())}`)
      const second = await fetch(fresh, { method: 'POST', headers: browser })
      const secondText = pageText(await second.text())
      expect(
        second.status === 200 && /already/i.test(secondText),
        'a page that says it was used already',
        `${second.status} ${secondText}`,
      )
      const pages = [await expired.text(), await tampered.text(), await opened.text()].map(pageText)
      return `confirmed; second use: “${sentence(secondText, /already/i)}”; expired: “${heading(pages[0]!)}”; tampered: “${heading(pages[1]!)}”`
    },
  },
  {
    name: 'agreement signed',
    run: async (tour) => {
      tour.signingUrl = linkIn(await mail(tour, /agreement|sign/i), '/agreements/')
      const page = await fetch(tour.signingUrl, { headers: browser })
      expect(page.status === 200, 'the signing page', page.status)
      const sign = (fields: Record<string, string>) =>
        fetch(tour.signingUrl!, { method: 'POST', headers: browser, body: new URLSearchParams(fields) })
      const nameless = await sign({ name: '', consent: 'yes' })
      expect(nameless.status === 422, 'status 422 without a name', nameless.status)
      const unwilling = await sign({ name: 'Ada Lovelace' })
      const unwillingPage = await unwilling.text()
      expect(
        unwilling.status === 422 && unwillingPage.includes('Ada Lovelace'),
        'status 422 without consent, with the name kept',
        unwilling.status,
      )
      const signed = await sign({ name: 'Ada Lovelace', consent: 'yes' })
      expect(signed.status === 200, 'a signed agreement', `${signed.status} ${pageText(await signed.text())}`)
      const copy = await until('the signed copy in the mail', async () =>
        (await inbox(tour)).find((found) => found.attachments.some((file) => file.type === 'application/pdf')),
      )
      const pdf = Buffer.from(await (await fetch(copy.attachments[0]!.url)).arrayBuffer())
      expect(pdf.subarray(0, 5).toString() === '%PDF-', 'a PDF', pdf.subarray(0, 5).toString())
      return `refused without a name, refused without consent, then signed; ${copy.attachments[0]!.filename} (${Math.round(pdf.length / 1024)} kB) in the mail`
    },
  },
  {
    name: 'roles and channels granted',
    run: async (tour) => {
      let roles: string[] = []
      await until(
        'the roles Partner and of the industry',
        async () => {
          roles = await ada(tour).roles()
          return roles.length >= 2
        },
        () => roles,
      )
      const visible = await until('the own industry’s channel', async () => {
        const channels = ada(tour).channels()
        return channels.some((channel) => channel.name === 'saas') && channels
      })
      const all = tour.world.admin.channels()
      const hidden = all.filter((channel) => !visible.some((seen) => seen.id === channel.id))
      expect(
        hidden.some((channel) => channel.name === 'healthcare'),
        'another industry’s channel hidden',
        hidden.map((channel) => channel.name),
      )
      return `roles ${roles.join(', ')}; sees #saas; does not see ${names(hidden)}`
    },
  },
  {
    name: 'link created',
    run: async (tour) => {
      const text = textOf(messageOf(await ada(tour).run('link create', { campaign: 'newsletter' })))
      tour.link = /https?:\/\/\S+\/r\/[\w-]+/.exec(text)?.[0]
      expect(tour.link, 'a referral link', text)
      return tour.link
    },
  },
  {
    name: 'click counted, robots not',
    run: async (tour) => {
      const visit = (headers: Record<string, string>, method = 'GET') =>
        fetch(tour.link!, { method, headers: { ...browser, ...headers }, redirect: 'manual' })
      const click = await visit({})
      tour.landing = new URL(click.headers.get('location') ?? 'missing:')
      const target = tour.landing
      expect(
        click.status === 302 && target.searchParams.get('siso_cid'),
        'a redirect with siso_cid',
        `${click.status} ${target.href}`,
      )
      expect(click.headers.get('set-cookie')?.includes('siso_cid='), 'a first-party cookie', click.headers.get('set-cookie'))
      const others = [
        await visit({ 'user-agent': 'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)' }),
        await visit({ 'user-agent': 'curl-like HEAD' }, 'HEAD'),
        await visit({ 'sec-purpose': 'prefetch;prerender' }),
      ]
      expect(
        others.every((response) => response.status === 302),
        'redirects for Discordbot, HEAD and prefetch',
        others.map((response) => response.status),
      )
      const list = textOf(messageOf(await ada(tour).run('link list')))
      expect(/\b1 click\b/.test(list), 'exactly 1 click', list)
      return `302 to ${target.origin}${target.pathname} with siso_cid; Discordbot, HEAD and prefetch redirected; the list says “1 click”`
    },
  },
  {
    name: 'one sale from shuffled, doubled webhooks',
    run: async (tour) => {
      const { world } = tour
      await world.control('POST', `${world.sandbox.urls.stripe}/sandbox/stripe/webhooks/hold`, {})
      tour.session = await buy(tour)
      await world.control('POST', `${world.sandbox.urls.stripe}/sandbox/stripe/checkout/${tour.session}/pay`, {
        email: 'buyer@example.com',
        name: 'Grace Hopper',
        country: 'US',
      })
      const before = await earnings(tour)
      expect(!before.includes('$500.00'), 'nothing earned before a webhook arrives', before)
      await world.control('POST', `${world.sandbox.urls.stripe}/sandbox/stripe/webhooks/release`, {
        order: 'shuffled',
        times: 2,
        seed: 7,
      })
      const after = await until('a pending commission of $500.00', async () => {
        const text = await earnings(tour)
        return /\$500\.00/.test(text) && text
      })
      await settled(tour)
      const still = await earnings(tour)
      expect(still.includes('$500.00') && !still.includes('$1,000.00'), 'one commission of $500.00 and no second one', still)
      const sales = textOf(messageOf(await ada(tour).run('sales list')))
      expect((sales.match(/\$2,500\.00/g) ?? []).length === 1, 'exactly one sale of $2,500.00', sales)
      const count = (await deliveries(tour, 'delivered')).length
      expect(count >= 8, 'at least four kinds of events, each delivered twice', count)
      expect(/pending/i.test(after), 'the state pending', after)
      return `${count} webhooks, shuffled and doubled, made one sale of ${money(price)} and one pending commission of ${money(commission)}`
    },
  },
  {
    name: 'partial refund',
    run: async (tour) => {
      const { world } = tour
      await world.control('POST', `${world.sandbox.urls.stripe}/sandbox/stripe/charges/${tour.session}/refund`, {
        amount: Number(refund),
      })
      await until('a pending commission of $400.00', async () => (await earnings(tour)).includes('$400.00'))
      return `a refund of ${money(refund)} lowered the commission by ${money(commission - commissionAfterRefund)} to ${money(commissionAfterRefund)}`
    },
  },
  {
    name: 'hold passes: pending, then payable',
    run: async (tour) => {
      const before = await earnings(tour)
      expect(/pending/i.test(before) && before.includes('$400.00'), 'pending $400.00', before)
      const changed = textOf(messageOf(await tour.world.admin.run('admin commissions hold', { days: 0, apply_to_pending: true })))
      expect(/0 days/.test(changed), 'a hold of 0 days', changed)
      const after = await until(
        'payable $400.00',
        async () => {
          const text = await earnings(tour)
          return lineWith(text, /payable: /i).includes('$400.00') && text
        },
        () => before,
        25_000,
      )
      return `before: “${lineWith(before, /pending: /i)}”; after the admin set 0 days: “${lineWith(after, /payable: /i)}”`
    },
  },
  {
    name: 'payout method',
    run: async (tour) => {
      const setup = messageOf(await ada(tour).run('payout setup'))
      const url = controls(setup.components ?? []).find((control) => control.url)?.url
      expect(url, 'a link to Stripe’s onboarding', textOf(setup))
      await onboard(url)
      await tour.world.admin.run('admin settings set', { setting: 'payouts methodCoolingHours', value: '0' })
      let status = ''
      await until(
        'a ready payout method',
        async () => {
          status = textOf(messageOf(await ada(tour).run('payout status')))
          return /ready/i.test(status) && !/not ready/i.test(status)
        },
        () => status,
      )
      return lineWith(status, /stripe|ready/i) || firstLine(status)
    },
  },
  {
    name: 'payout: dry run, run, run again',
    run: async (tour) => {
      const { admin, stripe } = tour.world
      const dry = textOf(messageOf(await admin.run('admin payouts dry-run')))
      expect(dry.includes('$400.00'), 'a dry run of $400.00', dry)
      expect((await transfers(stripe)).length === 0, 'no transfer after a dry run', 'a transfer')
      const run = textOf(messageOf(await admin.run('admin payouts run')))
      expect(run.includes('$400.00'), 'a run of $400.00', run)
      const [transfer] = await until('a Stripe transfer', async () => {
        const found = await transfers(stripe)
        return found.length > 0 && found
      })
      expect(
        transfer!.amount === Number(commissionAfterRefund) && transfer!.currency === 'usd',
        'a transfer of 40000 usd',
        `${transfer!.amount} ${transfer!.currency}`,
      )
      const again = textOf(messageOf(await admin.run('admin payouts run')))
      await settled(tour)
      const all = await transfers(stripe)
      expect(all.length === 1, 'still one transfer after a second run', all.length)
      return `dry run showed ${money(commissionAfterRefund)} and sent nothing; the run made one transfer ${transfer!.id}; run again: “${firstLine(again)}”`
    },
  },
  {
    name: 'payout confirmed',
    run: async (tour) => {
      const paid = await until('paid $400.00', async () => {
        const text = await earnings(tour)
        return lineWith(text, /paid/i).includes('$400.00') && text
      })
      const told = await until('a direct message about the payout', async () =>
        (await ada(tour).directMessages()).find(
          (message) => /\$400\.00/.test(textOf(message)) && /paid|payout/i.test(textOf(message)),
        ),
      )
      const letter = await mail(tour, /paid|payout/i)
      return `“${lineWith(paid, /paid/i)}”; Discord: “${firstLine(textOf(told))}”; mail: “${letter.subject}”`
    },
  },
  {
    name: 'leaderboard posted',
    run: async (tour) => {
      const channel = ada(tour)
        .channels()
        .find((candidate) => candidate.name === 'leaderboard')
      expect(channel, 'a channel “leaderboard”', 'none')
      const board = await until('a leaderboard with $2,000.00', async () => {
        return (await ada(tour).messages(channel.id)).find((message) => textOf(message).includes('$2,000.00'))
      })
      return lineWith(textOf(board), /2,000\.00/)
    },
  },
  {
    name: 'badge awarded',
    run: async (tour) => {
      const roles = await until('the role “First sale”', async () => {
        const mine = await ada(tour).roles()
        return mine.some((role) => /first sale/i.test(role)) && mine
      })
      const badges = textOf(messageOf(await ada(tour).run('badges show')))
      expect(/first sale/i.test(badges), 'the badge “First sale”', badges)
      const wins = ada(tour)
        .channels()
        .find((candidate) => candidate.name === 'wins')
      expect(wins, 'a channel “wins”', 'none')
      await until('the celebration in #wins', async () =>
        (await ada(tour).messages(wins.id)).some((message) => /first sale/i.test(textOf(message))),
      )
      return `badge and role ${roles.find((role) => /first sale/i.test(role))}, celebrated in #wins`
    },
  },
  {
    name: 'ledger proof holds',
    run: async ({ world: { admin } }) => {
      const proof = textOf(messageOf(await admin.run('admin ledger proof')))
      expect(/hold|proved|balance/i.test(proof) && !/does not|finding/i.test(proof), 'a proof that holds', proof)
      const failed = textOf(messageOf(await admin.run('admin jobs failed')))
      expect(/No failed work/.test(failed), 'no failed work', failed)
      return lineWith(proof, /transfer/i) || firstLine(proof)
    },
  },
]

function ada(tour: Tour): Person {
  if (!tour.ada) throw new Error('ada has not joined yet')
  return tour.ada
}

function messageOf(outcome: Outcome): APIMessage {
  expect(outcome.message, 'a message', 'a form')
  return outcome.message
}

function formOf(outcome: Outcome): OpenForm {
  expect(outcome.form, 'a form', outcome.message ? textOf(outcome.message) : 'nothing')
  return outcome.form
}

/** What ada types into the registration form, by what the fields are called. */
function fill(form: OpenForm, address: string): Record<string, string> {
  const answer = (field: OpenForm['components'][number]) =>
    field.component?.options ? 'saas' : /mail/i.test(field.label ?? '') ? address : 'Ada Lovelace'
  return Object.fromEntries(
    form.components.flatMap((field) => (field.component ? [[field.component.custom_id, answer(field)]] : [])),
  )
}

const earnings = async (tour: Tour) => textOf(messageOf(await ada(tour).run('earnings show')))

const inbox = (tour: Tour, address = email) =>
  tour.world.control<MailView[]>('GET', `${tour.world.sandbox.urls.sendgrid}/sandbox/mail?to=${encodeURIComponent(address)}`)

const mail = (tour: Tour, subject: RegExp, address = email) =>
  until(`a mail about ${subject.source}`, async () => (await inbox(tour, address)).find((found) => subject.test(found.subject)))

/** Goes on where the click led, to the shop's page, and presses its first button to buy; returns the id of the Checkout session that it opens. */
async function buy(tour: Tour): Promise<string> {
  const shop = tour.landing!
  const page = await fetch(shop, { headers: browser })
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const form = /<form[^>]*action="([^"]+)"/.exec(await page.text())?.[1]
  expect(form, 'a form to buy with on the shop’s page', page.status)
  const answer = await fetch(new URL(decodeHtml(form), shop), {
    method: 'POST',
    headers: { ...browser, cookie },
    redirect: 'manual',
  })
  const session = /cs_[a-zA-Z0-9_]+/.exec(answer.headers.get('location') ?? '')?.[0]
  expect(session, 'a redirect to Checkout', `${answer.status} ${answer.headers.get('location')}`)
  return session
}

/** Opens the provider's page and presses its button, as a partner would. */
async function onboard(url: string): Promise<void> {
  const page = await fetch(url, { headers: browser })
  const action = /<form[^>]*action="([^"]*)"/.exec(await page.text())?.[1] ?? ''
  const answer = await fetch(new URL(decodeHtml(action), page.url), {
    method: 'POST',
    headers: browser,
    body: new URLSearchParams(),
    redirect: 'follow',
  })
  expect(answer.status < 400, 'a completed onboarding', answer.status)
}

/** Waits until every webhook was delivered, so that nothing can change any more behind the tour's back. */
async function settled(tour: Tour): Promise<void> {
  await until('no webhook on its way', async () => (await deliveries(tour, 'pending')).length === 0)
}

async function deliveries(tour: Tour, state: 'pending' | 'delivered'): Promise<{ type: string }[]> {
  const url = `${tour.world.sandbox.urls.stripe}/sandbox/stripe/deliveries?state=${state}`
  return (await tour.world.control<{ deliveries: { type: string }[] }>('GET', url)).deliveries
}

async function transfers(stripe: World['stripe']) {
  return (await stripe.transfers.list({ limit: 100 })).data
}

function linkIn(mail: MailView, path: string): string {
  const found = new RegExp(`https?://[^\\s"<>]+${path}[\\w-]+`).exec(mail.text)?.[0]
  expect(found, `a link with ${path} in the mail “${mail.subject}”`, mail.text)
  return found
}

function money(amount: bigint): string {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }).format(Number(amount) / 100)
}

const names = (channels: readonly { name?: string | null }[]) => channels.map((channel) => `#${channel.name}`).join(' ')
const firstLine = (text: string) => text.replace(/^#+ /, '').split('\n')[0]!
const lineWith = (text: string, pattern: RegExp) =>
  text
    .split('\n')
    .find((line) => pattern.test(line) && /\d/.test(line))
    ?.replace(/[*#]/g, '')
    .trim() ?? ''
const pageText = (page: string) =>
  decodeHtml(
    page
      .replace(/<style>[\s\S]*?<\/style>/, '')
      .replace(/<[^>]+>/g, '\n')
      .replace(/\n\s*\n/g, '\n')
      .trim(),
  )
const heading = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)[2] ?? text
const sentence = (text: string, pattern: RegExp) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => pattern.test(line)) ?? ''

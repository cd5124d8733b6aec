// The partners of the simulation: joining, signing, leaving, links, and where they are paid. The first to sign a version, and some others, do it on the page;
// the other signatures are copies of that one, since each takes a while to render.
import { agreementSigned } from '../../../plugins/agreements/events.ts'
import { memberJoined, memberLeft, newId } from '../../../plugins/kit/index.ts'
import { partners } from '../../../plugins/partners/plugin.ts'
import { payouts } from '../../../plugins/payouts/plugin.ts'
import { bankId } from '../bank.ts'
import { Crash } from '../faults.ts'
import { partnerEmail } from '../plan/calendar.ts'
import { type LifeKind, wayOf } from '../plan/lives.ts'
import { lookalikesApart } from '../plan/offers.ts'
import type { Day } from '../plan.ts'
import { chance } from '../random.ts'
import type { Edition } from './agreement.ts'
import type { StripeAccounts } from './connect.ts'
import { controlIn, inLanes, type Setting } from './setting.ts'

export interface People {
  change(day: Day, deliver: () => Promise<void>): Promise<void>
  /** The path of the partner's link, made when it is first asked for. */
  linkOf(partner: string): Promise<string>
  keyOf(partnerId: string): string
  visitor(partner: string): { userId: string; username: string }
}

export function createPeople({ house, faults, size }: Setting, edition: Edition, accounts: StripeAccounts): People {
  const { clock, program, connection, emit } = house
  const programId = program.id
  const ids = new Map<string, string>()
  const keys = new Map<string, string>()
  const active = new Set<string>()
  const paths = new Map<string, string>()
  /** Who has said where their money should go. */
  const setUp = new Set<string>()
  /** The versions that somebody has signed on the page. */
  const signedOnPage = new Set<string>()

  const visitor = (partner: string) => ({
    userId: String(200_000_000_000_000_000n + BigInt(partner.slice(1))),
    username: partner,
  })

  async function join(joining: readonly string[]): Promise<void> {
    const now = clock.now()
    const rows = joining.map((partner) => ({
      id: newId(now),
      program_id: programId,
      user_id: visitor(partner).userId,
      name: `Partner ${partner}`,
      email: partnerEmail(partner),
      industry: 'saas',
      status: 'verified',
      registered_at: now.toISOString(),
      verified_at: now.toISOString(),
    }))
    for (const [i, { id }] of rows.entries()) {
      ids.set(joining[i]!, id)
      keys.set(id, joining[i]!)
      active.add(joining[i]!)
    }
    await connection.sql`insert into partners_partners ${connection.sql(rows)}`
    const [first, ...others] = joining
    if (!signedOnPage.has(edition.agreement.version)) await signOnPage(first!)
    else others.unshift(first!)
    await copySignature(others)
    for (let i = 0; i < rows.length; i += 50)
      await faults.survive(`join ${clock.now().toISOString()} ${i}`, () =>
        house.db.transaction(async (tx) => {
          for (const { id } of rows.slice(i, i + 50)) await house.use(partners).reviewActivation(tx, programId, id)
        }),
      )
  }

  async function signOnPage(partner: string): Promise<void> {
    const path = controlIn(await house.run('agreement', {}, visitor(partner)), /"url":"[^"]*(\/agreements\/[^"]+)"/)
    await submit(partner, path, 'name=A+Partner&consent=yes')
    signedOnPage.add(edition.agreement.version)
  }

  /** Sends a form from an address of the partner's own, and returns where the answer leads on to, if it does. */
  async function submit(partner: string, url: string, payload: string, status = 200): Promise<string> {
    const page = await house.app.inject({
      method: 'POST',
      url,
      remoteAddress: addressOf(partner),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload,
    })
    const problem = `${url} answered ${page.statusCode} to ${partner}`
    if (page.statusCode !== status) throw new Error(problem)
    return status === 303 ? pathOf(page.headers.location, problem) : ''
  }

  async function copySignature(signing: readonly string[]): Promise<void> {
    if (signing.length === 0) return
    await connection.sql`
      insert into agreements_signatures (id, program_id, partner_id, user_id, version, document_versions, hash, typed_name, email, ip_hash, user_agent, signed_at, pdf)
      select gen_random_uuid(), p.program_id, p.id, p.user_id, s.version, s.document_versions, s.hash, s.typed_name, p.email, s.ip_hash, s.user_agent,
        ${clock.now().toISOString()}::timestamptz, ''::bytea
      from partners_partners p,
        (select * from agreements_signatures where version = ${edition.agreement.version} order by signed_at, id limit 1) s
      where p.id in ${connection.sql(signing.map((partner) => ids.get(partner)!))} on conflict do nothing`
  }

  /** Signs the version that is current. */
  async function sign(partner: string): Promise<void> {
    const { version } = edition.agreement
    if (!signedOnPage.has(version) || chance(size.seed, 'page', partner, version) < 0.04) return signOnPage(partner)
    await copySignature([partner])
    const partnerId = ids.get(partner)!
    await house.connection.db.transaction((tx) =>
      emit(tx, agreementSigned, { programId, partnerId, signatureId: newId(clock.now()), version }),
    )
  }

  /** News of people coming and going, sometimes told twice. */
  async function wander(partner: string, event: typeof memberLeft | typeof memberJoined, day: number): Promise<void> {
    const times = chance(size.seed, 'wander', partner, day) < 0.2 ? 2 : 1
    for (let i = 0; i < times; i++)
      await connection.db.transaction((tx) => emit(tx, event as typeof memberJoined, { programId, ...visitor(partner) }))
  }

  async function setMethod(
    partner: string,
    kind: 'method_ready' | 'method_broken' | 'reference_changed',
    day: number,
  ): Promise<void> {
    const way = wayOf(size, partner)
    const isActive = active.has(partner)
    const name = `${kind} ${partner} ${clock.now().toISOString()}`
    const setUpWith = (provider: string) => faults.survive(name, () => house.run('payout setup', { provider }, visitor(partner)))
    if (way === 'stripe') {
      const open = (url: string) =>
        faults.survive(`${name} ${url.split('/').at(-2)}`, async () => {
          const answer = await openPage(partner, url)
          // Whoever reads that something went wrong tries again.
          if (answer.statusCode >= 500) throw new Crash('the program did not answer')
          return answer
        })
      return accounts.change({ partner, isActive, setUp: () => setUpWith('stripe'), open }, kind, day)
    }
    if (kind !== 'method_broken' && !isActive) return
    const ready = kind === 'method_ready'
    if (kind === 'reference_changed' && !setUp.has(partner)) return
    if (kind !== 'method_broken') {
      const provider = { bank: bankId, paypal: 'paypal', hand: 'manual' }[way]
      const answer = await setUpWith(provider)
      setUp.add(partner)
      if (way === 'hand')
        return giveReference(partner, controlIn(answer, /"url":"[^"]*(\/payouts\/manual\/[^"]+)"/), ready ? '' : '+B')
      if (way === 'paypal') return giveAddress(partner, controlIn(answer, /"url":"[^"]*(\/paypal\/address\?[^"]+)"/), ready)
    }
    await faults.survive(name, () =>
      house.db.transaction((tx) =>
        house.use(payouts).accountChanged(tx, bankId, `acct_${partner}`, { ready, missing: ready ? '' : 'a bank account' }),
      ),
    )
  }
  const giveReference = async (partner: string, page: string, suffix: string): Promise<void> =>
    void (await submit(partner, page, `reference=Supplier+${partner.slice(1)}${suffix}`))

  /** The first address, or another one: then the page leads on to a fresh one. Giving it leads back to the program, which asks how the account is. */
  async function giveAddress(partner: string, page: string, isFirst: boolean): Promise<void> {
    let form = page
    if (!isFirst) {
      const onward = await submit(partner, page.replace('/paypal/address?', '/paypal/address/other?'), '', 303)
      form = await redirectOf(partner, onward)
    }
    const email = encodeURIComponent(`${partner}@paypal.example`)
    const home = await submit(partner, form, `email=${email}&again=${email}`, 303)
    const answer = await openPage(partner, home)
    if (answer.statusCode !== 200) throw new Error(`${home} answered ${answer.statusCode} to ${partner}`)
  }

  /** A page of ours, asked for from an address of the partner's own. */
  const openPage = (partner: string, url: string) => house.app.inject({ url: pathOf(url, url), remoteAddress: addressOf(partner) })

  /** Where the address leads on to. */
  async function redirectOf(partner: string, url: string): Promise<string> {
    const answer = await openPage(partner, url)
    return pathOf(answer.headers.location, `${url} answered ${answer.statusCode} to ${partner}`)
  }

  async function changeOne(partner: string, kind: LifeKind, day: number, deliver: () => Promise<void>): Promise<void> {
    if (kind === 'left' || kind === 'returned') {
      await wander(partner, kind === 'left' ? memberLeft : memberJoined, day)
      if (kind === 'left') active.delete(partner)
      else active.add(partner)
      await deliver()
    } else if (kind === 'signed') await sign(partner)
    else if (kind !== 'joined') await setMethod(partner, kind, day)
  }

  return {
    visitor,
    change: async (day, deliver) => {
      if (day.newVersion) {
        edition.renew(clock.now())
        await house.tick('agreements.announce_version')
      }
      const joining = day.partners.filter(({ kind }) => kind === 'joined').map(({ partner }) => partner)
      if (joining.length > 0) await join(joining)
      // Whoever signs first on the page is the one whom the others copy.
      for (const { partner, kind } of day.partners)
        if (kind === 'left' || kind === 'returned' || kind === 'signed') await changeOne(partner, kind, day.day, deliver)
      await inLanes(
        day.partners.filter(({ kind }) => kind !== 'left' && kind !== 'returned' && kind !== 'signed'),
        ({ partner }) => partner,
        ({ partner, kind }) => changeOne(partner, kind, day.day, deliver),
      )
      await deliver()
    },
    linkOf: async (partner) => {
      const known = paths.get(partner)
      if (known) return known
      const code = `shop-${lookalikesApart(partner.slice(1))}-link`
      const path = controlIn(await house.run('link create', { code }, visitor(partner)), new RegExp(`(/r/${code})`, 'i'))
      paths.set(partner, path)
      return path
    },
    keyOf: (partnerId) => keys.get(partnerId) ?? partnerId,
  }
}

/** An address that is the partner's alone. */
function addressOf(partner: string): string {
  const number = Number(partner.slice(1))
  return `10.${Math.floor(number / 62_500) % 250}.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`
}

/** The path of an address of our own. */
function pathOf(location: string | string[] | undefined, problem: string): string {
  if (typeof location !== 'string') throw new Error(problem)
  const { pathname, search } = new URL(location, 'http://program.test')
  return `${pathname}${search}`
}

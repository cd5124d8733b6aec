// Where a partner is paid: the way to a provider's onboarding page and back. Calls providers, never within a transaction.
import { and, eq, ne } from 'drizzle-orm'
import { type Clock, type Db, days, newId, type Reader, type Settings, type Tokens, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import type { Onboarding } from './manual.ts'
import type { MethodRow, PayoutService } from './model.ts'
import type { AccountState, PayoutProvider } from './public.ts'
import { methods } from './tables.ts'

export interface Methods {
  /** The method that payouts go to. */
  chosen(reader: Reader, programId: string, partnerId: string): Promise<MethodRow | undefined>
  /** A page of the provider where the partner completes their account. @throws UserError when there is no such provider */
  setUp(
    who: { programId: string; partnerId: string; email: string },
    providerId?: string,
  ): Promise<{ url: string; provider: Onboarding }>
  /** The partner came back from the provider's page: what the provider says of the account now. */
  cameBack(secret: string, from: { ip: string; userAgent: string }): Promise<CameBack>
  /** Another page of the provider, for a link that ran out. Undefined when the link to us has run out, too. */
  freshPage(secret: string): Promise<{ url: string } | undefined>
  /** The ways to be paid that partners of the program may choose from; the first is the usual one. */
  offered(programId: string): Promise<readonly Onboarding[]>
  /** Every way that a method may have been set up with, offered now or not. */
  known(): readonly Onboarding[]
}

export type CameBack =
  | { readonly state: 'ready' | 'unknown' }
  | { readonly state: 'missing'; readonly missing: string }
  /** The provider could not be asked. */
  | { readonly state: 'unanswered' }

const purpose = 'payouts.onboarding'

export function createMethods(options: {
  db: Db
  clock: Clock
  tokens: Tokens
  url: (path: string) => string
  partners: Partners
  service: PayoutService
  settings: Settings<Config>
  providers: () => readonly PayoutProvider[]
  manual: Onboarding
}): Methods {
  const { db, clock, tokens, url, partners, service, settings, providers, manual } = options

  const known = (): Onboarding[] => [...providers(), manual]
  const offered: Methods['offered'] = async (programId) => ((await settings.of(db, programId)).manual ? known() : [...providers()])

  async function onboard(
    who: { programId: string; partnerId: string; email: string },
    provider: Onboarding,
    secret: string,
  ): Promise<string> {
    const before = await find(who.programId, who.partnerId, provider.id)
    const page = await provider.onboard({
      ...who,
      account: before?.account,
      returnUrl: url(`/payouts/return/${secret}`),
      refreshUrl: url(`/payouts/refresh/${secret}`),
    })
    await remember(who, provider.id, page.account)
    return page.url
  }

  /** Keeps the account as the chosen method: it waits anew when another method was chosen before, and another account than before must prove itself anew. */
  async function remember(who: { programId: string; partnerId: string }, provider: string, account: string): Promise<void> {
    const { programId, partnerId } = who
    const now = clock.now()
    const own = and(eq(methods.programId, programId), eq(methods.partnerId, partnerId))
    await db.transaction(async (tx) => {
      await tx
        .update(methods)
        .set({ chosen: false })
        .where(and(own, ne(methods.provider, provider)))
      const fresh = { account, ready: false, missing: '', verifiedAt: null, changedAt: now, toldAt: null }
      await tx
        .insert(methods)
        .values({ id: newId(now), programId, partnerId, provider, chosen: true, createdAt: now, ...fresh })
        .onConflictDoNothing()
      await tx
        .update(methods)
        .set({ chosen: true, changedAt: now })
        .where(and(own, eq(methods.provider, provider), eq(methods.chosen, false)))
      await tx
        .update(methods)
        .set(fresh)
        .where(and(own, eq(methods.provider, provider), ne(methods.account, account)))
    })
  }

  const find = async (programId: string, partnerId: string, provider: string): Promise<MethodRow | undefined> =>
    (
      await db
        .select()
        .from(methods)
        .where(and(eq(methods.programId, programId), eq(methods.partnerId, partnerId), eq(methods.provider, provider)))
    )[0]

  /** What a link to us stands for. */
  async function behind(secret: string) {
    const token = await tokens.inspect(db, purpose, secret)
    if (token.state !== 'good') return undefined
    const [partnerId = '', providerId = ''] = token.subject.split(' ')
    const partner = await partners.byId(db, token.programId, partnerId)
    const provider = known().find(({ id }) => id === providerId)
    return partner && provider ? { partner, provider } : undefined
  }

  return {
    offered,
    known,
    chosen: async (reader, programId, partnerId) =>
      (
        await reader
          .select()
          .from(methods)
          .where(and(eq(methods.programId, programId), eq(methods.partnerId, partnerId), eq(methods.chosen, true)))
      )[0],
    setUp: async (who, providerId) => {
      const provider = (await offered(who.programId)).find(({ id }) => providerId === undefined || id === providerId)
      if (!provider)
        throw new UserError(
          'no_payout_provider',
          'Payouts are not set up for this program yet. Tell an admin; what you earn is kept safe meanwhile.',
        )
      const secret = await db.transaction((tx) =>
        tokens.issue(tx, {
          programId: who.programId,
          purpose,
          subject: `${who.partnerId} ${provider.id}`,
          lifetimeMs: days(1),
        }),
      )
      return { url: await onboard(who, provider, secret), provider }
    },
    cameBack: async (secret, from) => {
      const link = await behind(secret)
      const method = link && (await find(link.partner.programId, link.partner.id, link.provider.id))
      if (!method) return { state: 'unknown' }
      const state = await askState(link.provider, method.account, clock)
      if (!state) return { state: 'unanswered' }
      await db.transaction(async (tx) => {
        await service.accountChanged(tx, link.provider.id, method.account, state)
        const { programId, id: partnerId, userId } = link.partner
        await partners.seen(tx, { programId, partnerId, userId, at: clock.now(), ...from })
      })
      return state.ready ? { state: 'ready' } : { state: 'missing', missing: state.missing }
    },
    freshPage: async (secret) => {
      const link = await behind(secret)
      if (!link) return undefined
      const { programId, id: partnerId, email } = link.partner
      return { url: await onboard({ programId, partnerId, email }, link.provider, secret) }
    },
  }
}

/**
 * What the provider says of an account, undefined when it does not answer for it. Dated before it is asked, since what it tells by itself meanwhile may be newer
 * than its answer, and to the second, as providers date what they tell.
 */
export async function askState(
  provider: Pick<PayoutProvider, 'accountState'>,
  account: string,
  clock: Clock,
): Promise<AccountState | undefined> {
  const at = new Date(Math.floor(clock.now().getTime() / 1000) * 1000)
  const state = await provider.accountState(account).catch(() => undefined)
  return state && { at, ...state }
}

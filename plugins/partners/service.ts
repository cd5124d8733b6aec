// The rules of partners: register, verify the e-mail, meet the requirements, become active, leave and come back.
import { and, asc, count, desc, eq, gt, lt, ne, or, sql } from 'drizzle-orm'
import type { Ctx, Precondition } from '../../commands/define.ts'
import {
  amongIds,
  type Clock,
  type Db,
  type Delivery,
  days,
  type Emit,
  hours,
  minutes,
  newId,
  type Programs,
  type Reader,
  type Settings,
  type Tokens,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { PartnersConfig } from './config.ts'
import { checkDetails, type Details, type Refusal } from './details.ts'
import { emailVerified, industryChanged, partnerActivated, partnerLeft, partnerRegistered, partnerReturned } from './events.ts'
import { refusalWords, stepMessage, verificationMail } from './messages.ts'
import {
  type Outcome,
  type PartnerRow,
  progressOf,
  type Step,
  statusOf,
  unverifiedAddress,
  type Verification,
  type Who,
} from './model.ts'
import type { ActivationRequirement, Partner, PartnerStatus, Partners } from './public.ts'
import { updatePartner } from './store.ts'
import { suspendedStep, suspendedWords } from './suspensionMessages.ts'
import { drafts, partners, verificationMails } from './tables.ts'

export interface PartnerService extends Omit<Partners, 'seen'> {
  /** Everything stored about the partner, or undefined. */
  find(reader: Reader, who: Who): Promise<PartnerRow | undefined>
  /** What was typed into the last form that was refused. */
  draft(reader: Reader, who: Who): Promise<Details | undefined>
  register(who: Who, typed: Details): Promise<Outcome>
  /** Changes the details of someone who has registered. A new address counts once it is verified. */
  change(who: Who, typed: Partial<Details>): Promise<Outcome>
  /** Sends the verification mail again. @throws UserError when it just went out, too often, or nothing is to be verified */
  resend(who: Who): Promise<string>
  steps(reader: Reader, partner: PartnerRow): Promise<Step[]>
  inspect(secret: string): Promise<Verification>
  verify(secret: string): Promise<Verification>
  /** A new mail for the holder of an expired link. It goes to the partner's present address. */
  renew(secret: string): Promise<Verification>
  joined(tx: Tx, who: Who, delivery: Delivery): Promise<void>
  left(tx: Tx, who: Who, delivery: Delivery): Promise<void>
  /** Someone who runs a command is in the server, whatever was heard of them. */
  comeBack(who: Who): Promise<void>
  countByStatus(reader: Reader, programId: string): Promise<ReadonlyMap<PartnerStatus, number>>
  newest(reader: Reader, programId: string, status: PartnerStatus | undefined, limit: number): Promise<PartnerRow[]>
  forgetDrafts(): Promise<void>
}

export const verifyPurpose = 'partners.verify'
const linkLifetimeMs = hours(24)
/** An address that someone typed but never verified keeps others out no longer than its link lives. */
const claimMs = linkLifetimeMs
const pauseBetweenMailsMs = minutes(1)
const mailsADay = 8
const draftsKeptMs = days(7)

export function createPartnerService(ports: {
  db: Db
  clock: Clock
  emit: Emit
  tokens: Tokens
  notifications: Notifications
  programs: Programs
  settings: Settings<PartnersConfig>
  url: (path: string) => string
  requirements: () => readonly ActivationRequirement[]
}): PartnerService {
  const { db, clock, emit, tokens, notifications, programs, settings, url, requirements } = ports

  const find: PartnerService['find'] = async (reader, who) => (await reader.select().from(partners).where(isWho(who)))[0]
  const findById = async (reader: Reader, programId: string, id: string) =>
    (
      await reader
        .select()
        .from(partners)
        .where(and(eq(partners.programId, programId), eq(partners.id, id)))
    )[0]
  const lock = async (tx: Tx, programId: string, id: string) =>
    (
      await tx
        .select()
        .from(partners)
        .where(and(eq(partners.programId, programId), eq(partners.id, id)))
        .for('update')
    )[0]

  /**
   * Who else in the program has the address: verified, or typed so lately that their link still works. Holds the address until the transaction ends, so
   * that two people who ask at the same time see each other.
   */
  async function otherHolders(tx: Tx, { programId, userId }: Who, email: string): Promise<{ verified: boolean }[]> {
    const wanted = email.toLowerCase()
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`partners.email ${programId} ${wanted}`}, 0))`)
    const lately = new Date(clock.now().getTime() - claimMs).toISOString()
    const verified = sql<boolean>`(lower(${partners.email}) = ${wanted} and ${partners.verifiedAt} is not null)`
    const claimed = sql`(lower(${partners.email}) = ${wanted} or lower(${partners.pendingEmail}) = ${wanted}) and exists (
      select 1 from ${verificationMails} m where m.partner_id = ${partners.id} and lower(m.email) = ${wanted} and m.sent_at > ${lately}::timestamptz)`
    return tx
      .select({ verified })
      .from(partners)
      .where(and(eq(partners.programId, programId), ne(partners.userId, userId), or(verified, claimed)))
  }

  async function mailTimes(reader: Reader, partnerId: string): Promise<Date[]> {
    const since = new Date(clock.now().getTime() - hours(24))
    const rows = await reader
      .select({ sentAt: verificationMails.sentAt })
      .from(verificationMails)
      .where(and(eq(verificationMails.partnerId, partnerId), gt(verificationMails.sentAt, since)))
      .orderBy(desc(verificationMails.sentAt))
    return rows.map((row) => row.sentAt)
  }

  /** A fresh link, which voids the earlier ones, to the address that is to be verified. */
  async function sendVerification(tx: Tx, partner: PartnerRow): Promise<string> {
    const { programId, userId, id: partnerId } = partner
    const email = unverifiedAddress(partner)!
    const now = clock.now()
    const id = newId(now)
    await tx.insert(verificationMails).values({ id, programId, partnerId, email, sentAt: now })
    const secret = await tokens.issue(tx, { programId, purpose: verifyPurpose, subject: partnerId, lifetimeMs: linkLifetimeMs })
    const { name } = await programs.byId(tx, programId)
    await notifications.mail(tx, {
      programId,
      key: `partners.verify:${id}`,
      to: email,
      userId,
      ...verificationMail({ program: name, partner: partner.name, url: url(`/verify/${secret}`) }),
    })
    return email
  }

  async function keepDraft(tx: Tx, { programId, userId }: Who, typed: Details, refusal: Refusal): Promise<Outcome> {
    const kept = {
      name: typed.name.slice(0, 200),
      email: typed.email.slice(0, 400),
      industry: typed.industry.slice(0, 100),
      updatedAt: clock.now(),
    }
    await tx
      .insert(drafts)
      .values({ programId, userId, ...kept })
      .onConflictDoUpdate({ target: [drafts.programId, drafts.userId], set: kept })
    return { kind: 'refused', refusal }
  }

  async function dropDraft(tx: Tx, { programId, userId }: Who): Promise<void> {
    await tx.delete(drafts).where(and(eq(drafts.programId, programId), eq(drafts.userId, userId)))
  }

  const register: PartnerService['register'] = (who, typed) =>
    db.transaction(async (tx): Promise<Outcome> => {
      const existing = await find(tx, who)
      if (existing) return { kind: 'already', partner: existing }
      const checked = checkDetails(typed, await settings.of(tx, who.programId))
      if ('refusal' in checked) return keepDraft(tx, who, typed, checked.refusal)
      if ((await otherHolders(tx, who, checked.details.email)).length > 0) return keepDraft(tx, who, typed, 'email_taken')
      const now = clock.now()
      const [partner] = await tx
        .insert(partners)
        .values({ id: newId(now), ...who, ...checked.details, status: 'registered', registeredAt: now })
        .onConflictDoNothing()
        .returning()
      if (!partner) return { kind: 'already', partner: (await find(tx, who))! }
      await dropDraft(tx, who)
      await emit(tx, partnerRegistered, { ...who, partnerId: partner.id })
      return { kind: 'saved', partner, mailed: await sendVerification(tx, partner) }
    })

  const change: PartnerService['change'] = (who, typed) =>
    db.transaction(async (tx): Promise<Outcome> => {
      const [before] = await tx.select().from(partners).where(isWho(who)).for('update')
      if (!before) throw notRegistered()
      const wanted = { name: before.name, email: before.pendingEmail ?? before.email, industry: before.industry, ...typed }
      const checked = checkDetails(wanted, await settings.of(tx, who.programId), before.industry)
      if ('refusal' in checked) return keepDraft(tx, who, wanted, checked.refusal)
      const { name, email, industry } = checked.details
      const toVerify = addressToVerify(before, email)
      if (toVerify) {
        if ((await otherHolders(tx, who, toVerify)).length > 0) return keepDraft(tx, who, wanted, 'email_taken')
        if ((await mailTimes(tx, before.id)).length >= mailsADay) return keepDraft(tx, who, wanted, 'too_many_mails')
      }
      const partner = await updatePartner(tx, before, { name, industry, ...addressChange(before, email) })
      await dropDraft(tx, who)
      if (industry !== before.industry)
        await emit(tx, industryChanged, { ...who, partnerId: before.id, from: before.industry, to: industry })
      return { kind: 'saved', partner, mailed: toVerify && (await sendVerification(tx, partner)) }
    })

  const resend: PartnerService['resend'] = (who) =>
    db.transaction(async (tx) => {
      const [partner] = await tx.select().from(partners).where(isWho(who)).for('update')
      if (!partner) throw notRegistered()
      if (!unverifiedAddress(partner))
        throw new UserError('already_verified', 'Your e-mail is verified already. Run /start to see your next step.')
      const [last, ...earlier] = await mailTimes(tx, partner.id)
      if (last && clock.now().getTime() - last.getTime() < pauseBetweenMailsMs)
        throw new UserError(
          'mail_just_sent',
          'That mail went out less than a minute ago. Give it a moment and look into your spam folder, too.',
        )
      if (earlier.length + 1 >= mailsADay) throw new UserError('too_many_mails', refusalWords('too_many_mails').body)
      return sendVerification(tx, partner)
    })

  const steps: PartnerService['steps'] = async (reader, partner) => {
    const progress = progressOf(partner)
    const verified = progress !== 'registered'
    const known = toPartner(partner)
    return [
      { title: 'Register', done: true, hint: '' },
      {
        title: 'Verify your e-mail',
        done: verified,
        hint: `Open the mail we sent to ${unverifiedAddress(partner) ?? partner.email} and follow its link.`,
      },
      ...(await Promise.all(
        requirements().map(async ({ title, nextStep, button, isMet }) => ({
          title,
          hint: nextStep,
          button,
          done: verified && (await isMet(reader, known)),
        })),
      )),
      {
        title: 'Be an active partner',
        done: progress === 'active',
        hint: 'That happens by itself when everything above is done.',
      },
    ]
  }
  const nextStep = async (reader: Reader, partner: PartnerRow): Promise<Step | undefined> =>
    statusOf(partner) === 'suspended' ? suspendedStep : (await steps(reader, partner)).find((step) => !step.done)

  const reviewActivation: PartnerService['reviewActivation'] = async (tx, programId, partnerId) => {
    const partner = await lock(tx, programId, partnerId)
    if (partner?.status !== 'verified') return
    for (const { isMet } of requirements()) if (!(await isMet(tx, toPartner(partner)))) return
    await updatePartner(tx, partner, { status: 'active', activatedAt: clock.now() })
    await emit(tx, partnerActivated, { programId, partnerId, userId: partner.userId, industry: partner.industry })
  }

  const inspect: PartnerService['inspect'] = async (secret) => {
    const token = await tokens.inspect(db, verifyPurpose, secret)
    const partner = token.state === 'unknown' ? undefined : await findById(db, token.programId, token.subject)
    if (token.state === 'unknown' || !partner) return { state: 'unknown' }
    const programName = (await programs.byId(db, token.programId)).name
    const email = unverifiedAddress(partner)
    if (token.state === 'used' || !email) return { state: 'used', programName, next: await nextStep(db, partner) }
    return { state: token.state, programName, email }
  }

  const verify: PartnerService['verify'] = async (secret) => {
    const before = await inspect(secret)
    if (before.state !== 'good') return before
    const outcome = await db.transaction(async (tx) => {
      const token = await tokens.inspect(tx, verifyPurpose, secret)
      const partner = token.state === 'good' ? await lock(tx, token.programId, token.subject) : undefined
      const email = partner && unverifiedAddress(partner)
      if (!email) return undefined
      if ((await otherHolders(tx, partner, email)).some((holder) => holder.verified)) return 'taken' as const
      if ((await tokens.redeem(tx, verifyPurpose, secret)).state !== 'good') return undefined
      const { programId, id: partnerId, userId } = partner
      await updatePartner(tx, partner, { email, pendingEmail: null, verifiedAt: clock.now(), ...promoted(partner) })
      await emit(tx, emailVerified, { programId, partnerId, userId, email })
      await reviewActivation(tx, programId, partnerId)
      const verified = (await findById(tx, programId, partnerId))!
      await tellNextStep(tx, verified)
      return verified
    })
    if (outcome === 'taken') return { ...before, state: 'taken' }
    if (!outcome) return inspect(secret)
    return { state: 'verified', programName: before.programName, next: await nextStep(db, outcome) }
  }

  /** Tells a partner who is not active yet what comes next, unless whoever wants it done tells them. */
  async function tellNextStep(tx: Tx, partner: PartnerRow): Promise<void> {
    if (partner.status !== 'verified') return
    for (const requirement of requirements()) {
      if (await requirement.isMet(tx, toPartner(partner))) continue
      if (!requirement.announcesItself) {
        const { name } = await programs.byId(tx, partner.programId)
        await notifications.tell(tx, {
          programId: partner.programId,
          key: `partners.next_step:${partner.id}:${requirement.id}`,
          userId: partner.userId,
          message: stepMessage(name, requirement),
        })
      }
      return
    }
  }

  const renew: PartnerService['renew'] = async (secret) => {
    const found = await inspect(secret)
    if (found.state !== 'expired') return found
    const token = await tokens.inspect(db, verifyPurpose, secret)
    if (token.state === 'unknown') return { state: 'unknown' }
    const partner = await findById(db, token.programId, token.subject)
    await resend({ programId: token.programId, userId: partner!.userId })
    return found
  }

  const restore = async (tx: Tx, partner: PartnerRow, change: Partial<PartnerRow>) => {
    const { programId, id: partnerId, userId } = partner
    await updatePartner(tx, partner, { ...change, status: partner.statusBeforeLeft!, statusBeforeLeft: null, leftAt: null })
    await emit(tx, partnerReturned, { programId, partnerId, userId })
    await reviewActivation(tx, programId, partnerId)
  }

  const joined: PartnerService['joined'] = async (tx, who, delivery) => {
    const [partner] = await tx.select().from(partners).where(isWho(who)).for('update')
    if (!partner || partner.membershipEvent >= delivery.id) return
    if (partner.status === 'left') await restore(tx, partner, { membershipEvent: delivery.id })
    else await updatePartner(tx, partner, { membershipEvent: delivery.id })
  }

  const left: PartnerService['left'] = async (tx, who, delivery) => {
    const [partner] = await tx.select().from(partners).where(isWho(who)).for('update')
    if (!partner || partner.membershipEvent >= delivery.id) return
    if (partner.status === 'left') return void (await updatePartner(tx, partner, { membershipEvent: delivery.id }))
    await updatePartner(tx, partner, {
      membershipEvent: delivery.id,
      status: 'left',
      statusBeforeLeft: partner.status,
      leftAt: clock.now(),
    })
    await emit(tx, partnerLeft, { ...who, partnerId: partner.id })
  }

  const comeBack: PartnerService['comeBack'] = (who) =>
    db.transaction(async (tx) => {
      const [partner] = await tx.select().from(partners).where(isWho(who)).for('update')
      if (partner?.status === 'left') await restore(tx, partner, {})
    })

  const require: Partners['require'] = async (reader, { program, user }: Ctx) => {
    const row = await find(reader, { programId: program.id, userId: user.id })
    if (!row) throw notRegistered()
    return toPartner(row)
  }

  const registered: Precondition = {
    id: 'partners.registered',
    describe: 'everyone who has registered with /start',
    check: async (ctx) => void (await require(db, ctx)),
  }

  const active: Precondition = {
    id: 'partners.active',
    describe: 'active partners',
    check: async (ctx) => {
      const partner = await find(db, { programId: ctx.program.id, userId: ctx.user.id })
      if (!partner) throw notRegistered()
      if (partner.status === 'active') return
      if (partner.status === 'suspended') throw new UserError('partner_suspended', suspendedWords(partner))
      if (partner.status === 'left')
        throw new UserError('partner_left', 'You had left the program. Run /start to take it up again.')
      const step = await nextStep(db, partner)
      throw new UserError(
        'partner_not_active',
        `One step is missing before you can use this: ${step?.title ?? 'a review'}. ${step?.hint ?? ''} /start shows where you are.`,
      )
    },
  }

  return {
    byUser: async (reader, programId, userId) => optional(await find(reader, { programId, userId })),
    byId: async (reader, programId, partnerId) => optional(await findById(reader, programId, partnerId)),
    industries: async (reader, programId) => (await settings.of(reader, programId)).industries,
    byIds: async (reader, programId, partnerIds) =>
      partnerIds.length === 0
        ? []
        : (
            await reader
              .select()
              .from(partners)
              .where(and(eq(partners.programId, programId), amongIds(partners.id, partnerIds)))
          ).map(toPartner),
    list: async (reader, programId, { status } = {}) =>
      (
        await reader
          .select()
          .from(partners)
          .where(and(eq(partners.programId, programId), status && eq(partners.status, status)))
          .orderBy(asc(partners.registeredAt), asc(partners.id))
      ).map(toPartner),
    require,
    registered,
    active,
    reviewActivation,
    find,
    draft: async (reader, { programId, userId }) =>
      (
        await reader
          .select({ name: drafts.name, email: drafts.email, industry: drafts.industry })
          .from(drafts)
          .where(and(eq(drafts.programId, programId), eq(drafts.userId, userId)))
      )[0],
    register,
    change,
    resend,
    steps,
    inspect,
    verify,
    renew,
    joined,
    left,
    comeBack,
    countByStatus: async (reader, programId) => {
      const rows = await reader
        .select({ status: partners.status, count: count() })
        .from(partners)
        .where(eq(partners.programId, programId))
        .groupBy(partners.status)
      return new Map(rows.map((row) => [row.status, row.count]))
    },
    newest: (reader, programId, status, limit) =>
      reader
        .select()
        .from(partners)
        .where(and(eq(partners.programId, programId), status && eq(partners.status, status)))
        .orderBy(desc(partners.registeredAt), desc(partners.id))
        .limit(limit),
    forgetDrafts: async () => {
      await db.delete(drafts).where(lt(drafts.updatedAt, new Date(clock.now().getTime() - draftsKeptMs)))
    },
  }
}

function isWho({ programId, userId }: Who) {
  return and(eq(partners.programId, programId), eq(partners.userId, userId))
}

/** The address to verify when `email` is wanted; undefined when it is verified or its mail is under way. */
function addressToVerify(before: PartnerRow, email: string): string | undefined {
  if (before.verifiedAt && email === before.email) return undefined
  return email === unverifiedAddress(before) ? undefined : email
}

function addressChange(before: PartnerRow, email: string): Partial<PartnerRow> {
  if (!before.verifiedAt) return { email }
  return { pendingEmail: email === before.email ? null : email }
}

/** A registered partner becomes a verified one, in the server or out of it. */
function promoted(partner: PartnerRow): Partial<PartnerRow> {
  if (statusOf(partner) !== 'registered') return {}
  return partner.status === 'left' ? { statusBeforeLeft: 'verified' } : { status: 'verified' }
}

function notRegistered(): UserError {
  return new UserError('not_registered', 'You are not a partner yet. Run /start to become one; it takes a minute.')
}

function optional(row: PartnerRow | undefined): Partner | undefined {
  return row && toPartner(row)
}

/** As others see them: who leaves while suspended stays suspended, for leaving must not free what was stopped. */
function toPartner(row: PartnerRow): Partner {
  const { id, programId, userId, name, email, industry, registeredAt, verifiedAt, activatedAt } = row
  const status = statusOf(row) === 'suspended' ? 'suspended' : row.status
  return { id, programId, userId, name, email, industry, status, registeredAt, verifiedAt, activatedAt }
}

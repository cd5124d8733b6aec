// The rules of agreements: who is asked to sign, what a signature records, and whether a partner has signed what is current.
import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm'
import {
  amongIds,
  type Clock,
  type Db,
  days,
  type Emit,
  failuresOf,
  holdsWebAddress,
  newId,
  type Program,
  type Programs,
  type Reader,
  type Settings,
  type Tokens,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { AgreementsConfig } from './config.ts'
import type { Agreement } from './documents.ts'
import { agreementSigned } from './events.ts'
import { companyMail, copyMail, inviteMail, inviteMessage, renewMail, renewMessage } from './messages.ts'
import type { Problem, Signature, SignatureRow, Signing, Typed } from './model.ts'
import type { SignedCopy } from './pdf.ts'
import type { Agreements } from './public.ts'
import { signatures, texts, versions } from './tables.ts'

export interface AgreementService extends Agreements {
  readonly agreement: Agreement
  /** The partner's newest signature of any version. */
  latest(reader: Reader, programId: string, partnerId: string): Promise<Signature | undefined>
  pdf(reader: Reader, programId: string, signatureId: string): Promise<Buffer>
  /** Asks a partner whose e-mail was just verified to sign, in Discord and by mail. Does nothing when the current version is signed. */
  invite(tx: Tx, programId: string, partnerId: string): Promise<void>
  /** A fresh link to the signing page; it voids the earlier ones. @throws UserError when the partner may not sign (yet) */
  freshLink(partner: Partner): Promise<string>
  open(secret: string): Promise<Signing>
  /** Signs, once. `ip` is stored only as a keyed hash. */
  sign(secret: string, typed: Typed, evidence: { ip: string; userAgent: string }): Promise<Signing>
  /**
   * Notes that a new version is out, and asks those who signed an earlier one to sign again, once each. @throws AggregateError when somebody could not be
   * asked; everybody else was
   */
  announceVersion(): Promise<void>
}

export const signPurpose = 'agreements.sign'
const linkLifetimeMs = days(7)
/** Those of one transaction. */
const askedTogether = 100
const nameLength = { min: 2, max: 120 }
const { pdf: _, ...withoutPdf } = getTableColumns(signatures)

export function createAgreementService(ports: {
  db: Db
  clock: Clock
  emit: Emit
  tokens: Tokens
  partners: Partners
  notifications: Notifications
  programs: Programs
  settings: Settings<AgreementsConfig>
  url: (path: string) => string
  agreement: Agreement
  /** A keyed hash: the same address gives the same text, and the text does not give the address. */
  hashAddress: (ip: string) => string
  renderCopy: (copy: SignedCopy) => Promise<Buffer>
}): AgreementService {
  const { db, clock, emit, tokens, partners, notifications, programs, settings, url, agreement, hashAddress, renderCopy } = ports

  async function latest(reader: Reader, programId: string, partnerId: string): Promise<Signature | undefined> {
    const [row] = await reader
      .select(withoutPdf)
      .from(signatures)
      .where(and(eq(signatures.programId, programId), eq(signatures.partnerId, partnerId)))
      .orderBy(desc(signatures.signedAt), desc(signatures.version))
      .limit(1)
    return row
  }

  async function ofCurrentVersion(reader: Reader, programId: string, partnerId: string): Promise<Signature | undefined> {
    const mine = and(
      eq(signatures.programId, programId),
      eq(signatures.partnerId, partnerId),
      eq(signatures.version, agreement.version),
    )
    return (await reader.select(withoutPdf).from(signatures).where(mine))[0]
  }

  async function publishedAt(reader: Reader, programId: string): Promise<Date | undefined> {
    const [row] = await reader
      .select({ publishedAt: versions.publishedAt, hash: versions.hash })
      .from(versions)
      .where(and(eq(versions.programId, programId), eq(versions.version, agreement.version)))
    if (row && row.hash !== agreement.hash)
      throw new Error(
        `The agreement's text changed but its version is still ${agreement.version}: give the changed document a new version`,
      )
    return row?.publishedAt
  }

  /** Records the current text and version for the program. */
  async function publish(tx: Tx, programId: string): Promise<void> {
    if (await publishedAt(tx, programId)) return
    const now = clock.now()
    await tx.insert(texts).values({ hash: agreement.hash, text: agreement.canonical, createdAt: now }).onConflictDoNothing()
    await tx
      .insert(versions)
      .values({ programId, version: agreement.version, hash: agreement.hash, publishedAt: now })
      .onConflictDoNothing()
  }

  const signersOfCurrent: Agreements['signersOfCurrent'] = async (reader, programId, partnerIds, at) => {
    if (partnerIds.length === 0) return new Set()
    const rows = await reader
      .select({ partnerId: signatures.partnerId, version: signatures.version })
      .from(signatures)
      .where(and(eq(signatures.programId, programId), amongIds(signatures.partnerId, partnerIds)))
    const signers = new Set(rows.filter(({ version }) => version === agreement.version).map(({ partnerId }) => partnerId))
    const earlier = rows.filter(({ partnerId }) => !signers.has(partnerId))
    if (earlier.length > 0 && (await isGrace(reader, programId, at))) for (const { partnerId } of earlier) signers.add(partnerId)
    return signers
  }

  /** Whether an earlier version still counts at `at`. */
  async function isGrace(reader: Reader, programId: string, at: Date): Promise<boolean> {
    const [published, { graceDays }] = await Promise.all([publishedAt(reader, programId), settings.of(reader, programId)])
    return !published || at.getTime() < published.getTime() + days(graceDays)
  }

  async function issueLink(tx: Tx, { programId, id }: Partner): Promise<string> {
    const secret = await tokens.issue(tx, { programId, purpose: signPurpose, subject: id, lifetimeMs: linkLifetimeMs })
    return url(`/agreements/${secret}`)
  }

  const invite: AgreementService['invite'] = async (tx, programId, partnerId) => {
    const partner = await partners.byId(tx, programId, partnerId)
    if (!partner || !maySign(partner) || (await ofCurrentVersion(tx, programId, partnerId))) return
    const letter = { program: (await programs.byId(tx, programId)).name, partner: partner.name, url: await issueLink(tx, partner) }
    // A link voids the earlier ones, so each has to arrive: also the one that goes to another address that was verified before signing.
    const key = `agreements.invite:${partnerId}:${agreement.version}:${partner.verifiedAt?.getTime()}`
    await notifications.tell(tx, { programId, key, userId: partner.userId, message: inviteMessage(letter) })
    await notifications.mail(tx, { programId, key, to: partner.email, userId: partner.userId, ...inviteMail(letter) })
  }

  const freshLink: AgreementService['freshLink'] = async (partner) => {
    if (partner.status === 'registered')
      throw new UserError('email_not_verified', 'Please verify your e-mail first; then you can sign. /start sends the mail again.')
    if (!maySign(partner))
      throw new UserError(
        'cannot_sign',
        'Your partnership is not open at the moment, so there is nothing to sign. The team in this server can help.',
      )
    return db.transaction((tx) => issueLink(tx, partner))
  }

  const open: AgreementService['open'] = async (secret) => {
    const token = await tokens.inspect(db, signPurpose, secret)
    const partner = token.state === 'unknown' ? undefined : await partners.byId(db, token.programId, token.subject)
    if (token.state === 'unknown' || !partner) return { state: 'unknown' }
    const programName = (await programs.byId(db, token.programId)).name
    const signature = await ofCurrentVersion(db, token.programId, partner.id)
    if (signature) return { state: 'already', programName, partner, signature }
    if (token.state !== 'good') return { state: 'expired', programName }
    if (!maySign(partner)) return { state: 'closed', programName }
    return { state: 'open', programName, partner, typed: { name: '', consent: false }, problems: [] }
  }

  const sign: AgreementService['sign'] = async (secret, given, { ip, userAgent }) => {
    const before = await open(secret)
    if (before.state !== 'open') return before
    const typed = { name: given.name.replace(/\s+/g, ' ').trim(), consent: given.consent }
    const problems = problemsOf(typed)
    if (problems.length > 0) return { ...before, typed, problems }
    const { programName, partner } = before
    const now = clock.now()
    const evidence = {
      id: newId(now),
      typedName: typed.name,
      email: partner.email,
      userId: partner.userId,
      signedAt: now,
      ipHash: hashAddress(ip),
      userAgent: userAgent.slice(0, 400),
    }
    const pdf = await renderCopy({ program: programName, agreement, signature: evidence })
    const signed = await db.transaction(async (tx) => {
      if (
        (await tokens.redeem(tx, signPurpose, secret)).state !== 'good' ||
        (await ofCurrentVersion(tx, partner.programId, partner.id))
      )
        return false
      await record(tx, partner, programName, { ...evidence, pdf })
      const { programId, id: partnerId, userId } = partner
      await partners.seen(tx, { programId, partnerId, userId, at: now, ip, userAgent })
      return true
    })
    const after = await open(secret)
    if (!signed || after.state !== 'already') return after
    return { ...after, state: 'signed' }
  }

  async function record(
    tx: Tx,
    partner: Partner,
    programName: string,
    evidence: Pick<SignatureRow, 'id' | 'typedName' | 'email' | 'userId' | 'signedAt' | 'ipHash' | 'userAgent' | 'pdf'>,
  ) {
    const { programId, id: partnerId } = partner
    await publish(tx, programId)
    await tx.insert(signatures).values({
      programId,
      partnerId,
      version: agreement.version,
      documentVersions: Object.fromEntries(agreement.documents.map(({ id, version }) => [id, version])),
      hash: agreement.hash,
      ...evidence,
    })
    await emit(tx, agreementSigned, { programId, partnerId, signatureId: evidence.id, version: agreement.version })
    await partners.reviewActivation(tx, programId, partnerId)
    const attachments = [{ filename: copyName(agreement.version), type: 'application/pdf', data: evidence.pdf }]
    const letter = { program: programName, partner: evidence.typedName, version: agreement.version }
    const key = `agreements.copy:${evidence.id}`
    await notifications.mail(tx, { programId, key, to: partner.email, userId: partner.userId, ...copyMail(letter), attachments })
    const { copyTo } = await settings.of(tx, programId)
    if (copyTo)
      await notifications.mail(tx, {
        programId,
        key: `${key}:company`,
        to: copyTo,
        userId: partner.userId,
        ...companyMail(letter),
        attachments,
      })
  }

  const announceVersion: AgreementService['announceVersion'] = async () => {
    const failures: unknown[] = []
    for (const program of await programs.all(db)) {
      await db.transaction((tx) => publish(tx, program.id))
      const { graceDays } = await settings.of(db, program.id)
      const until = new Date((await publishedAt(db, program.id))!.getTime() + days(graceDays))
      const asked = await signersOfEarlier(program.id)
      failures.push(
        ...(await failuresOf(asked, askedTogether, (partnerIds) =>
          db.transaction((tx) => askAgain(tx, { program, partnerIds, until })),
        )),
      )
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `not everybody could be asked to sign the new version (partners: ${failures.length})`)
  }

  async function signersOfEarlier(programId: string): Promise<string[]> {
    const rows = await db.execute<{ partnerId: string }>(sql`
      select distinct s.partner_id as "partnerId" from agreements_signatures s
      where s.program_id = ${programId}::uuid and s.version <> ${agreement.version} and not exists (
        select from agreements_signatures c
        where c.program_id = s.program_id and c.partner_id = s.partner_id and c.version = ${agreement.version})`)
    return rows.map(({ partnerId }) => partnerId)
  }

  async function askAgain(
    tx: Tx,
    { program, partnerIds, until }: { program: Program; partnerIds: readonly string[]; until: Date },
  ): Promise<void> {
    const asked = (await partners.byIds(tx, program.id, partnerIds)).filter(maySign).map(({ id, name, email, userId }) => ({
      wish: { programId: program.id, key: `agreements.renew:${id}:${agreement.version}`, userId },
      email,
      letter: { program: program.name, partner: name, version: agreement.version, until },
    }))
    await notifications.tell(tx, ...asked.map(({ wish, letter }) => ({ ...wish, message: renewMessage(letter) })))
    await notifications.mail(tx, ...asked.map(({ wish, email, letter }) => ({ ...wish, to: email, ...renewMail(letter) })))
  }

  return {
    agreement,
    hasSignedCurrent: async (reader, programId, partnerId, at) =>
      (await signersOfCurrent(reader, programId, [partnerId], at)).has(partnerId),
    signersOfCurrent,
    latest,
    pdf: async (reader, programId, signatureId) => {
      const [row] = await reader
        .select({ pdf: signatures.pdf })
        .from(signatures)
        .where(and(eq(signatures.programId, programId), eq(signatures.id, signatureId)))
      return row!.pdf
    },
    invite,
    freshLink,
    open,
    sign,
    announceVersion,
  }
}

/** File name of a signed copy. */
export function copyName(version: string): string {
  return `partner-agreement-${version}.pdf`
}

function maySign({ status }: Partner): boolean {
  return status === 'verified' || status === 'active'
}

function problemsOf({ name, consent }: Typed): Problem[] {
  const fits = name.length >= nameLength.min && name.length <= nameLength.max
  const named = fits && /^\P{Cc}*\p{L}\P{Cc}*$/u.test(name) && !holdsWebAddress(name)
  return [...(named ? [] : (['name'] as const)), ...(consent ? [] : (['consent'] as const))]
}

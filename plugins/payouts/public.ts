// What other plugins may ask of payouts, and how a provider takes part. Amounts in minor units.
import { defineExtensionPoint, type Reader, type Tx } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'

export interface SendRequest {
  readonly programId: string
  readonly payoutId: string
  readonly amount: bigint
  readonly currency: string
  /** The provider's account of the partner, e.g. acct_… */
  readonly destination: string
  /** How often the provider has put this payout off; part of the idempotency key, where the first answer to a key is its answer for ever. */
  readonly round: number
}

/** `sent`: the provider has it and will confirm by webhook. */
export interface ProviderTransfer {
  readonly providerId: string
  readonly state: 'sent' | 'returned'
}

/** Somewhere that the money of an account can go. */
export interface Place {
  /** What the provider calls it, the same for two accounts that share it. Kept as a keyed hash. */
  readonly name: string
  /** Whether money goes there unless somebody says otherwise. */
  readonly isDefault: boolean
}

/** How far a tax form is, as the provider that collects it says. */
export interface ProviderTaxForm {
  /** Where the owner of the account is liable: ISO 3166-1 alpha-2. */
  readonly jurisdiction: string
  /** Which form, such as W-9. */
  readonly form: string
  readonly status: 'requested' | 'submitted' | 'valid' | 'rejected'
}

export interface AccountState {
  readonly ready: boolean
  /** What the partner still has to do, in words. */
  readonly missing: string
  /** All places that the money can go to, not only the default; left out when the provider does not say. */
  readonly places?: readonly Place[] | undefined
  /** What the provider says of the tax form that it collects for the account, and never a tax number. Null when it says nothing; left out by one that never does. */
  readonly taxForm?: ProviderTaxForm | null | undefined
  /** When this was so, by the provider's clock; left out for now. */
  readonly at?: Date
}

/** No for good. The message is for admins. */
export class PayoutRefused extends Error {
  override name = 'PayoutRefused'
  /** Whole sentences for the partner, who is not to read about the program's own account at the provider. */
  readonly forPartner: string

  constructor(message: string, forPartner = message) {
    super(message)
    this.forPartner = forPartner
  }
}

/** No for now, because of what the program itself has to mend, such as its funds or permissions. Nothing came of this try, nor will. Admins read the message. */
export class PayoutPostponed extends Error {
  override name = 'PayoutPostponed'
}

export interface PayoutProvider {
  readonly id: string
  readonly title: string
  /** Makes (or finds) the partner's account at the provider and returns a page where they complete it. */
  onboard(request: {
    programId: string
    partnerId: string
    email: string
    account: string | undefined
    returnUrl: string
    refreshUrl: string
  }): Promise<{ account: string; url: string }>
  /** Whether the account can be paid, as the provider says now. */
  accountState(account: string): Promise<AccountState>
  /** Looks for an earlier transfer of this payout: asked before every try after the first, because idempotency keys do not live for ever. */
  find(request: SendRequest): Promise<ProviderTransfer | undefined>
  /**
   * Sends the money. @throws PayoutRefused when the provider says no for good, PayoutPostponed when it says no for now; after anything else it may have
   * the money, and is asked for it before the next try
   */
  send(request: SendRequest): Promise<ProviderTransfer>
  /** What the program can send now; undefined when the provider does not let us see that, and itself refuses what it does not have. */
  available(currency: string): Promise<bigint | undefined>
  /** Only multiples of this many minor units can be sent in the currency; 1 when left out. A payout holds whole commissions, as many as add up to one. */
  step?(currency: string): bigint
}
export const payoutProvider = defineExtensionPoint<PayoutProvider>('payouts.provider')

export interface GateQuestion {
  readonly partner: Partner
  readonly currency: string
  /** What would be paid, in minor units. */
  readonly amount: bigint
  /** The payout, when it is made already and asked about again before it goes. */
  readonly payoutId?: string
}
/** Why somebody is not paid yet. */
export interface GateClosure {
  /** For an admin, after the partner's name: “has no valid tax form”. */
  readonly forAdmin: string
  /** For the partner, whole sentences: what is missing and what to do. */
  readonly forPartner: string
}
/** Something that must be so before a partner is paid, beside what payouts itself looks at. */
export interface PayoutGate {
  readonly id: string
  /**
   * Answers in the order of the questions; undefined lets through. Asked for everyone at once in a dry run, and again for each partner, under a lock on
   * their commissions, when their payout is made.
   */
  closed(
    reader: Reader,
    programId: string,
    questions: readonly GateQuestion[],
    at: Date,
  ): Promise<readonly (GateClosure | undefined)[]>
}
export const payoutGate = defineExtensionPoint<PayoutGate>('payouts.gate')

/** What was paid to one partner in one currency. */
export interface PaidTotal {
  readonly partnerId: string
  readonly currency: string
  readonly amount: bigint
  readonly payouts: number
}

/** A payout that is made and has neither arrived nor come back yet. */
export interface PayoutUnderway {
  readonly payoutId: string
  readonly partnerId: string
  readonly currency: string
  readonly amount: bigint
  /** Whether it has left; one that waits for an approval or its turn has not. */
  readonly sent: boolean
}

export interface Payouts {
  /**
   * Told by the provider (webhook): the transfer arrived, or came back. Idempotent. An id that is not known (yet) returns false; the news is kept for
   * a month and counts when the payout is recorded under that id, because a provider may confirm before its answer to our request is stored.
   * @param paidAt when it arrived, if that is known to be earlier than now: the day that counts for taxes
   */
  confirm(
    tx: Tx,
    provider: string,
    providerId: string,
    outcome: 'paid' | 'returned',
    detail: string,
    paidAt?: Date,
  ): Promise<boolean>
  /** The provider's ids of what it was sent before that time and has neither confirmed nor returned, oldest first: its webhook may be lost. */
  unconfirmed(reader: Reader, programId: string, provider: string, sentBefore: Date, limit: number): Promise<string[]>
  /** Told by the provider (webhook): the partner's account changed. What is older than what it said last changes nothing about where the partner is paid. */
  accountChanged(tx: Tx, provider: string, account: string, state: AccountState): Promise<boolean>
  /** What arrived within [from, to) and did not come back, by partner and currency; of all partners or of these. */
  paidBetween(
    reader: Reader,
    programId: string,
    range: { readonly from: Date; readonly to: Date },
    partnerIds?: readonly string[],
  ): Promise<readonly PaidTotal[]>
  /** What came back within [from, to) and had arrived before `from`, by partner and currency: earlier periods no longer count it. */
  cameBackBetween(
    reader: Reader,
    programId: string,
    range: { readonly from: Date; readonly to: Date },
  ): Promise<readonly PaidTotal[]>
  /** Payouts to these partners that are made, and have neither arrived nor come back yet, in the order in which they were made. */
  onTheWay(reader: Reader, programId: string, partnerIds: readonly string[]): Promise<readonly PayoutUnderway[]>
  /** Other partners whose money can go to a place that this partner's can go to as well, by their ids. */
  sharing(reader: Reader, programId: string, partnerIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>
  /** Which program an account at the provider belongs to. */
  programOfAccount(reader: Reader, provider: string, account: string): Promise<string | undefined>
}

/** Subjects of /help, for plugins whose commands belong there as well. */
export const payoutHelp = {
  partners: { id: 'payouts', title: 'Getting paid', emoji: '🏦', about: 'Say where your money goes, and see what is on its way' },
  admins: {
    id: 'payouts',
    title: 'Payouts and tax',
    emoji: '🏦',
    about: 'Pay partners, approve, and what the tax office asks for',
  },
}
export const providerHelp = {
  admins: {
    id: 'providers',
    title: 'Payment providers',
    emoji: '💳',
    about: 'How they are set up, and what they told that could not be handled',
  },
}

// What other plugins may ask of links.
import { defineExtensionPoint, type Reader } from '../kit/index.ts'

export interface LinkCounts {
  readonly clicks: number
}

export interface PartnerLink {
  readonly id: string
  readonly code: string
  /** The whole address to share. */
  readonly url: string
  readonly campaign: string | null
  readonly createdAt: Date
  /** Counted clicks so far. */
  readonly clicks: number
}

/** A computer as the clicks of one day (UTC) know it: hashes under that day's salt, comparable with marks of the same day and with nothing else. */
export interface Mark {
  readonly day: string
  readonly address: string
  readonly agent: string
}

export interface ClickFacts {
  readonly at: Date
  /** The parameter that says that the click was bought, such as gclid. */
  readonly paidBy: string | null
  /** The host of the page it came from. */
  readonly referrer: string | null
  readonly datacentre: boolean
  readonly mark: Mark
}

export interface Links {
  /** What is on record of the click; undefined when there is none, or it was forgotten. */
  clickFacts(reader: Reader, programId: string, clickIds: readonly string[]): Promise<ReadonlyMap<string, ClickFacts>>
  /** How somebody who is seen at `at` would be marked in the clicks of that day, the day before and the day after: what is needed to compare over 24 hours. */
  marks(at: Date, ip: string, userAgent: string): readonly Mark[]
  /** Counted clicks of the partner in [from, to). */
  clickCount(reader: Reader, programId: string, partnerId: string, range: { from: Date; to: Date }): Promise<number>
  /** As `clickCount` for each, in their order. */
  clickCounts(reader: Reader, programId: string, ranges: readonly { partnerId: string; from: Date; to: Date }[]): Promise<number[]>
  /** The partner's links, newest first. */
  ofPartner(reader: Reader, programId: string, partnerId: string): Promise<PartnerLink[]>
  /** The address of the link with this code. */
  urlOf(code: string): string
  /**
   * Records a click for a visitor who came to a page with the link's code in its address and agreed to being remembered: told apart from bots and counted as by the
   * redirect. Returns the click's id; undefined when the code is no link of the program that leads on, or the program wants no cookies.
   */
  land(
    programId: string,
    code: string,
    visitor: { ip: string; headers: Readonly<Record<string, string | string[] | undefined>> },
  ): Promise<string | undefined>
}

export interface LinkCardField {
  readonly name: string
  readonly value: string
}

/** What another plugin says of a link on the card that its partner opens. */
export type LinkCardPart = (
  reader: Reader,
  program: { readonly id: string; readonly timeZone: string; readonly currency: string },
  link: { readonly id: string; readonly partnerId: string },
  now: Date,
) => Promise<LinkCardField>
export const linkCardPart = defineExtensionPoint<LinkCardPart>('links.card_part')

/** Subjects of /help, for plugins whose commands belong there as well. */
export const linkHelp = {
  partners: { id: 'links', title: 'Links and codes', emoji: '🔗', about: 'Bring people in: links, QR codes and coupon codes' },
  admins: { id: 'links', title: 'Links and codes', emoji: '🔗', about: 'Links of partners, landing pages, coupon codes' },
}

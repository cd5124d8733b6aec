// The guide's steps: what a newcomer does, why, as whom, and by what it is seen that it was done. Words and decisions only; it observes nothing itself.
import type { Identity } from '../person.ts'

/** What has been seen so far, from people's own Discord clients and from the vendors. Once seen, a thing stays seen. */
export interface Seen {
  /** The server has its channels. */
  setUp: boolean
  /** Who came after the guide began: the one in the server, else the first. */
  newcomer: Pick<Identity, 'id' | 'username'> | undefined
  joined: boolean
  /** Address of the newcomer, once a mail went there. */
  registered: string | undefined
  confirmed: boolean
  signed: boolean
  /** The newcomer has roles, which open channels. */
  opened: boolean
  /** Their link. */
  link: string | undefined
  bought: boolean
  sawEarnings: boolean
  payable: boolean
  hasMethod: boolean
  noCooling: boolean
  dryRun: boolean
  sentMoney: boolean
  celebrated: boolean
}

export const nothingSeen: Seen = {
  setUp: false,
  newcomer: undefined,
  joined: false,
  registered: undefined,
  confirmed: false,
  signed: false,
  opened: false,
  link: undefined,
  bought: false,
  sawEarnings: false,
  payable: false,
  hasMethod: false,
  noCooling: false,
  dryRun: false,
  sentMoney: false,
  celebrated: false,
}

/** As the client shows it. `text` and `why` are Discord's markdown. */
export interface GuideStep {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly why: string
  readonly done: boolean
  /** Who does it. Without an id it is somebody who does not exist yet. */
  readonly who?: { readonly id?: string; readonly username: string }
  /** Lines that can be put into the message field, without the slash. */
  readonly commands?: readonly string[]
  /** Pages to open. */
  readonly links?: readonly { readonly label: string; readonly url: string }[]
}

export interface Addresses {
  readonly shop: string
  readonly stripe: string
}

/** Who is suggested to be added first. */
export const suggestedName = 'ada'

export function stepsOf(seen: Seen, owner: Pick<Identity, 'id' | 'username'>, addresses: Addresses): GuideStep[] {
  const admin = { id: owner.id, username: owner.username }
  const partner = seen.newcomer ? { id: seen.newcomer.id, username: seen.newcomer.username } : { username: suggestedName }
  const name = partner.username
  return [
    {
      id: 'set-up',
      title: 'Set up the server',
      text: 'Run the command. Roles and channels appear on the left; run it again and nothing changes.',
      why: 'A program lives in a server of your own. What it needs there it makes, and repairs, itself.',
      who: admin,
      commands: ['admin setup'],
      done: seen.setUp,
    },
    {
      id: 'join',
      title: 'Join as a partner',
      text: `Become **${name}**, then press **Join Server**. A newcomer sees the welcome channels and nothing else.`,
      why: 'Here you play everybody: the owner, partners, customers. Each sees what they may see.',
      who: partner,
      done: seen.joined,
    },
    {
      id: 'register',
      title: 'Register',
      text: 'Press **Become a partner** in #welcome, or run the command, and fill in the form. Try an address like `ada@nowhere` first: it is refused, and what you typed is kept.',
      why: 'Three fields are enough to begin. The industry decides which channel opens later.',
      who: partner,
      commands: ['start'],
      done: seen.registered !== undefined,
    },
    {
      id: 'confirm',
      title: 'Confirm the address',
      text: 'Open **Mail** at the top right, open the letter, and press its button. The link works once.',
      why: 'Money and contracts go to this address, so it must be theirs.',
      who: partner,
      done: seen.confirmed,
    },
    {
      id: 'sign',
      title: 'Sign the agreement',
      text: 'The next letter leads to the agreement. Type your name, agree, and sign; the signed copy comes by mail.',
      why: 'Nobody sells before the terms are clear. Kept are the text, the time and who signed it.',
      who: partner,
      done: seen.signed,
    },
    {
      id: 'channels',
      title: 'See the channels appear',
      text: 'Look at the list on the left: #general, #wins, the channel of your industry and more are there now.',
      why: 'Roles open channels, and the bot gives roles when something is done: no admin has to remember it.',
      who: partner,
      done: seen.opened,
    },
    {
      id: 'link',
      title: 'Make a link',
      text: 'Run the command. It takes a word of your own, or gives you a short one.',
      why: 'The link is how a sale finds its partner.',
      who: partner,
      commands: ['link create'],
      done: seen.link !== undefined,
    },
    {
      id: 'buy',
      title: 'Be a customer and buy',
      text: 'Open the link, choose something in the shop, and pay with card `4242 4242 4242 4242`.',
      why: 'Stripe tells of the payment by webhook, perhaps twice and in any order; it is one sale.',
      ...(seen.link && { links: [{ label: 'Open the link', url: seen.link }] }),
      done: seen.bought,
    },
    {
      id: 'earnings',
      title: 'See what was earned',
      text: 'Run the command: the commission is pending, because the customer may still send it back.',
      why: 'A refund lowers it, a dispute stops it. Try both in the Stripe dashboard.',
      who: partner,
      commands: ['earnings show', 'sales list'],
      links: [{ label: 'Stripe dashboard', url: addresses.stripe }],
      done: seen.sawEarnings,
    },
    {
      id: 'method',
      title: 'Say where the money goes',
      text: 'Run the command and follow the button: Stripe asks for the bank account, not we.',
      why: 'Bank details stay with the payment provider.',
      who: partner,
      commands: ['payout setup'],
      done: seen.hasMethod,
    },
    {
      id: 'hold',
      title: 'Skip the waiting',
      text: 'Run both commands: commissions are held for 0 days, and a new bank account need not wait.',
      why: 'Normally both give time for refunds, and to notice when an account was taken over.',
      who: admin,
      commands: [
        'admin commissions hold days:0 apply_to_pending:True',
        'admin settings set setting:payouts methodCoolingHours value:0',
      ],
      done: seen.payable && seen.noCooling,
    },
    {
      id: 'dry-run',
      title: 'Rehearse the payout',
      text: 'Run the command. It shows who would be paid what, who would not, and why.',
      why: 'Nothing is sent; you can do this as often as you like.',
      who: admin,
      commands: ['admin payouts dry-run'],
      done: seen.dryRun,
    },
    {
      id: 'run',
      title: 'Pay',
      text: 'Run the command, then look at the transfer in the Stripe dashboard. Run it again: nobody is paid twice.',
      why: 'Every payout has a key of its own. A crash in the middle changes nothing about that.',
      who: admin,
      commands: ['admin payouts run'],
      links: [{ label: 'Transfers', url: `${addresses.stripe}#transfers` }],
      done: seen.sentMoney,
    },
    {
      id: 'celebrate',
      title: 'Be seen',
      text: 'Look into #leaderboard and #wins: the first sale has a badge, and the board of the month has a name on it.',
      why: 'People sell more when somebody notices.',
      who: partner,
      commands: ['badges show', 'leaderboard show'],
      done: seen.celebrated,
    },
  ]
}

// The notices that stand in the channels, and the welcome of a new partner. Pure functions.
import { customId } from '../../commands/customId.ts'
import { button, card, literal, type Message } from '../../commands/messages.ts'
import { startButton } from '../partners/public.ts'

export function welcomeNotice(): Message {
  return card({
    title: 'Welcome! Become a partner in three steps',
    body: [
      '**1. Register.** Press the button below and tell us your name, e-mail and industry.',
      '**2. Confirm your e-mail.** Follow the link in the mail that we send you.',
      '**3. Sign the agreement.** You get a link to read and sign it. It takes about five minutes.',
      'Then your partner channels open, and you can share your first link.',
    ],
    tone: 'celebrate',
    rows: [[button({ customId: customId(startButton, {}), label: 'Become a partner', style: 'success', emoji: '🤝' })]],
    footer: 'Already on the way? The button shows your next step.',
  })
}

export function rulesNotice(): Message {
  return card({
    title: 'How we treat each other',
    body: [
      '**Be kind.** No insults, harassment or discrimination.',
      '**No spam.** No advertising in these channels and no unwanted messages to members.',
      '**Be honest.** Tell people that you earn a commission, and promise only what is true.',
      '**Keep it here.** What others share in private channels stays there.',
    ],
    footer: 'The full code of conduct is part of the agreement: /agreement shows it.',
  })
}

export function faqNotice(): Message {
  return card({
    title: 'Short answers',
    fields: [
      {
        name: 'How do I start?',
        value: 'Press the button in the welcome channel. At any time it shows your next step, too, as `/start` does.',
      },
      {
        name: 'The mail does not arrive',
        value: 'Look into the spam folder. The button in the welcome channel sends it again or lets you change the address.',
      },
      { name: 'How do I get a link?', value: 'As an active partner, run `/link create`.' },
      { name: 'What have I earned, and when is it paid?', value: '`/earnings show` tells you.' },
      { name: 'What else can I do?', value: '`/help` lists every command that you can use.' },
    ],
  })
}

export function inboxNotice(): Message {
  return card({
    title: 'Your private messages land here when direct messages are closed',
    body: [
      'If Discord does not let us write to you directly, we open a private thread in this channel. Only you and the team can see it; others see nothing here.',
      'To get direct messages instead: right-click the server’s name → Privacy Settings → Direct Messages.',
    ],
  })
}

export function winsNotice(): Message {
  return card({
    title: 'Good news goes here',
    body: 'First sales and badges are posted in this channel. Congratulate each other, and share your own wins.',
    tone: 'celebrate',
  })
}

export function leaderboardNotice(): Message {
  return card({
    title: 'Who is ahead this month',
    body: 'The leaderboard is posted here and kept up to date. It counts what was really paid: refunds are subtracted.',
  })
}

export function staffNotice(): Message {
  return card({
    title: 'For admins of the program',
    body: [
      '`/admin setup` mends roles and channels, `/admin settings` changes how the program works, `/admin partners list` shows who is where, and `/help` lists the rest.',
    ],
  })
}

/** For a partner who has just become active. `rooms`: mentions of the channels that opened. */
export function partnerWelcome(program: string, name: string, rooms: readonly string[]): Message {
  return card({
    title: `You are in, ${literal(name)}!`,
    body: [
      `You are an active partner of ${literal(program)}.${rooms.length > 0 ? ` These channels are open for you now: ${rooms.join(' ')}` : ' Your channels are open now.'}`,
      '**What to do next**',
      '🔗 `/link create` makes your first link. Share it where your people are.\n💰 `/earnings` shows what it brings, and when it is paid.\n💡 `/help` lists everything else.',
    ],
    tone: 'celebrate',
  })
}

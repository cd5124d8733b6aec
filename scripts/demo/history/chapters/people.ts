// Chapters about people: the server is set up, partners register, confirm their mail, sign, and some go.
import type { Chapter } from '../chapter.ts'
import type { Past } from '../past.ts'
import type { Part } from '../story.ts'

export const channels: Chapter = {
  plugin: 'channels',
  happenings: ({ parts, days }) => [
    { day: 0, hour: 6, run: async (past) => void (await past.run('owner', 'admin setup')) },
    ...talk.flatMap(([who, text], i) => {
      const day = Math.floor(((i + 1) / (talk.length + 1)) * days)
      const able = parts.filter(({ fate, joins }) => fate === 'works' && joins < day)
      const part = able[(i * 5) % able.length]
      const speaker = who === 'partner' && part ? part.username : undefined
      if (who === 'partner' && !speaker) return []
      const run = (past: Past) => past.say(speaker ? past.actor(speaker) : 'deputy', 'general', text)
      return [{ day, hour: 15 + (i % 4), run }]
    }),
  ],
  figures: { 'roles given': `select count(*) from core_member_roles where wanted and applied` },
}

/** What is said in #general, in this order. */
const talk: readonly (readonly ['partner' | 'deputy', string])[] = [
  ['deputy', 'Welcome, everybody! Ask here; somebody always knows. 👋'],
  ['partner', 'My first link is out in the world. Fingers crossed!'],
  ['partner', 'Does `/link qr` print well? I want it on a poster.'],
  ['partner', 'It does. Give it some white around, and test it with an old phone.'],
  ['deputy', 'Care plans earn **30 %** for twelve months now. Tell your hotels.'],
  ['partner', 'First sale! 🎉 The customer came from the newsletter, three days later.'],
  ['partner', 'Congratulations! Mine took a month.'],
  ['partner', 'A customer sent half of it back. Where do I see what that costs me?'],
  ['deputy', '`/earnings why` shows it, sale by sale.'],
  ['partner', 'Paid out on Friday, on my account on Monday. Thank you!'],
  ['partner', 'Has anybody talked to dentists? They all ask for their own domain first.'],
  ['partner', 'I have. Show them the care plan before the website; they hate surprises.'],
  ['partner', 'How do you count people who call instead of clicking?'],
  ['deputy', 'A coupon, or `/deal submit` before they call. Afterwards there is `/sales claim`.'],
  ['partner', 'That worked, and faster than I thought.'],
  ['partner', 'Ten sales behind first place. Watch your backs. 😄'],
]

export const partners: Chapter = {
  plugin: 'partners',
  happenings: ({ parts }) => [
    ...parts.map((part) => ({ day: part.joins, hour: 8, run: (past: Past) => register(past, part) })),
    ...parts
      .filter(({ fate }) => fate !== 'never verifies')
      .map((part) => ({ day: part.joins, hour: 9, run: (past: Past) => verify(past, part) })),
    ...parts
      .filter(({ fate }) => fate === 'leaves')
      .map((part) => ({ day: part.leaves, hour: 19, run: (past: Past) => past.leave(past.actor(part.username)) })),
  ],
  figures: {
    'active partners': `select count(*) from partners_partners where status = 'active'`,
    'waiting for their mail': `select count(*) from partners_partners where status = 'registered'`,
    'waiting for a signature': `select count(*) from partners_partners where status = 'verified'`,
    'partners who left': `select count(*) from partners_partners where status = 'left'`,
  },
}

async function register(past: Past, part: Part): Promise<void> {
  const actor = await past.join(part)
  await past.fill(actor, 'start', { name: part.name, email: part.email, industry: part.industry })
}

async function verify(past: Past, part: Part): Promise<void> {
  const page = await past.visit(await past.linkInMail(part.email, '/verify/'), part.username, {})
  if (page.status !== 200) throw new Error(`the page to confirm an address answered ${page.status} to ${part.name}`)
}

export const agreements: Chapter = {
  plugin: 'agreements',
  happenings: ({ parts }) =>
    parts
      .filter(({ fate }) => fate === 'works' || fate === 'leaves')
      .map((part) => ({
        day: part.joins,
        hour: 10,
        run: async (past) => {
          const page = await past.linkInMail(part.email, '/agreements/')
          const signed = await past.visit(page, part.username, { name: part.name, consent: 'yes' })
          if (signed.status !== 200) throw new Error(`signing answered ${signed.status} to ${part.name}`)
        },
      })),
  figures: { 'signed agreements': 'select count(*) from agreements_signatures' },
}

// Chapters about what people look at: commissions that seem odd, and sales that partners say are theirs.
import type { Chapter } from '../chapter.ts'
import type { Past } from '../past.ts'
import type { Part } from '../story.ts'
import { follow } from './selling.ts'

export const fraud: Chapter = {
  plugin: 'fraud',
  happenings: ({ parts, days }) => {
    // Three sales are paid within seconds after somebody clicked an advertisement: one is decided, one has an appeal, and one waits for the reader.
    const odd = parts.filter(({ fate, joins }) => fate === 'works' && joins < days - 8).slice(2, 5)
    const atTheEnd = (run: (past: Past, part: Part) => Promise<unknown>, part: Part | undefined) =>
      part ? [{ day: days - 1, hour: 17, run: async (past: Past) => void (await run(past, part)) }] : []
    return [
      ...odd.map((part, i) => ({ day: days - 6 + i, hour: 13, run: (past: Past) => advertise(past, part) })),
      ...atTheEnd(async (past, { username }) => {
        const id = await past.figure(
          `select c.id from fraud_cases c join partners_partners p on p.id = c.partner_id
           where c.state = 'open' and p.user_id = '${past.actor(username).identity.id}' limit 1`,
        )
        if (!id) throw new Error(`nothing of ${username} is looked at`)
        await past.run('owner', 'admin fraud reject', { case: id, reason: 'An advertisement for our own name.' })
      }, odd[0]),
      ...atTheEnd(
        (past, { username }) =>
          past.fill(past.actor(username), 'appeal', { text: 'The customer sat next to me at the fair and paid on my phone.' }),
        odd[1],
      ),
    ]
  },
  figures: { 'cases of fraud': `select count(*) from fraud_cases where state in ('open', 'rejected')` },
}

async function advertise(past: Past, part: Part): Promise<void> {
  const click = await follow(past, part.code, `searcher of ${part.username}`, '?gclid=Cj0KCQjw')
  // Stripe knows whole seconds: one must have passed, or the payment would be before the click.
  past.stage.clock.forwardTo(past.stage.clock.now().getTime() + 2_000)
  const buyer = { email: `searcher.${part.username}@example.com`, name: 'Sam Searcher', country: 'US' }
  await past.buy('ai-workshop', buyer, click)
}

export const claims: Chapter = {
  plugin: 'claims',
  happenings: ({ parts, days }) => {
    const claimants = parts.filter(({ fate, joins }) => fate === 'works' && joins < days - 8).slice(7, 10)
    const email = 'office@paper-lantern.example.com'
    const dayOf = (past: Past, ago: number) =>
      new Date(past.stage.clock.now().getTime() - ago * 86_400_000).toISOString().slice(0, 10)
    // Somebody buys without a link. Two claim it; one more claims what nobody knows of.
    const [right, late, open] = claimants
    if (!right || !late || !open) return []
    const claim = (past: Past, part: Part, story: string, clue: Record<string, string>) =>
      past.run(past.actor(part.username), 'sales claim', { date: dayOf(past, 4), story, ...clue })
    return [
      {
        day: days - 6,
        hour: 14,
        run: async (past) => void (await past.buy('website-build', { email, name: 'Petra Lantern', country: 'GB' })),
      },
      {
        day: days - 2,
        hour: 18,
        run: async (past) => {
          await claim(past, right, 'They told me at the fair that they would order, and forgot to use my link.', { email })
          await claim(past, late, 'I wrote to them in spring, and I am sure that they read it.', { amount: '2500.00' })
        },
      },
      { day: days - 2, hour: 19, run: (past) => decide(past, right, 'credit', 'They say the same.') },
      { day: days - 2, hour: 20, run: (past) => decide(past, late, 'decline', 'It has found its partner already.') },
      {
        day: days - 1,
        hour: 18,
        run: async (past) =>
          void (await claim(past, open, 'A reader of my newsletter called me: she ordered from her office.', { amount: '900.00' })),
      },
    ]
  },
  figures: {
    'claimed sales': 'select count(*) from claims_claims',
    'claims that were right': `select count(*) from claims_claims where state = 'approved'`,
  },
}

/** An admin opens the claim of a partner and decides with its buttons. */
async function decide(past: Past, { username }: Part, what: 'credit' | 'decline', reason: string): Promise<void> {
  const { id } = past.actor(username).identity
  const claim = await past.figure(`select id from claims_claims where user_id = '${id}' and state = 'open' limit 1`)
  const card = await past.press('owner', JSON.stringify({ custom_id: `claims.look:${claim}` }), 'claims\\.look:')
  const form = await past.press('owner', card, `claims\\.${what}:`)
  await past.press('owner', form, `claims\\.${what}_reason:`, { reason })
}

// Chapters about people: the server is set up, partners register, confirm their mail, sign, and some go.
import type { Chapter } from '../chapter.ts'
import type { Past } from '../past.ts'
import type { Part } from '../story.ts'

export const channels: Chapter = {
  plugin: 'channels',
  happenings: () => [{ day: 0, hour: 6, run: async (past) => void (await past.run('owner', 'admin setup')) }],
  figures: { 'roles given': `select count(*) from core_member_roles where wanted and applied` },
}

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

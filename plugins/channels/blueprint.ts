// The rooms of the server: welcome for everyone, the program for partners, one room for each industry, one for staff. Pure.
import type { Blueprint, ChannelWish } from '../kit/index.ts'
import type { Industry } from '../partners/public.ts'
import { faqNotice, inboxNotice, leaderboardNotice, rulesNotice, staffNotice, welcomeNotice, winsNotice } from './messages.ts'
import {
  announcementsChannel,
  inboxChannel,
  industryChannel,
  industryRole,
  leaderboardChannel,
  partnerRole,
  staffChannel,
  winsChannel,
} from './public.ts'

const colors = [0x5865f2, 0x3ba55d, 0xeb9e34, 0xe0569b, 0x1abc9c, 0x9b59b6, 0xe67e22, 0x3498db]

export function blueprintFor(industries: readonly Industry[]): Blueprint {
  const partners = { roles: [partnerRole] }
  const welcome: Pick<ChannelWish, 'kind' | 'category' | 'seenBy' | 'writtenBy'> = {
    kind: 'text',
    category: 'channels:welcome',
    seenBy: 'everyone',
    writtenBy: 'staff',
  }
  const program: Pick<ChannelWish, 'kind' | 'category' | 'seenBy'> = {
    kind: 'text',
    category: 'channels:program',
    seenBy: partners,
  }
  return {
    roles: [
      { key: partnerRole, name: 'Partner', color: 0x3ba55d, hoist: true },
      ...industries.map(({ key, name }, i) => ({ key: industryRole(key), name, color: colors[i % colors.length]! })),
    ],
    categories: [
      { key: 'channels:welcome', name: 'Welcome', order: 10 },
      { key: 'channels:program', name: 'Program', order: 20 },
      { key: 'channels:industries', name: 'Industries', order: 30 },
      { key: 'channels:staff', name: 'Staff', order: 90 },
    ],
    channels: [
      {
        ...welcome,
        key: 'channels:welcome',
        name: 'welcome',
        topic: 'Start here: how to become a partner',
        notice: welcomeNotice(),
      },
      { ...welcome, key: 'channels:rules', name: 'rules', topic: 'How we treat each other', notice: rulesNotice() },
      // The one room where a newcomer may write: a command can only be typed where there is a text field.
      {
        ...welcome,
        writtenBy: 'all',
        key: 'channels:faq',
        name: 'faq',
        topic: 'Short answers; ask yours here, and type commands such as /start and /agreement',
        notice: faqNotice(),
      },
      {
        ...welcome,
        key: inboxChannel,
        name: 'inbox',
        topic: 'Private messages from the program, for people whose direct messages are closed',
        notice: inboxNotice(),
      },
      {
        ...program,
        key: announcementsChannel,
        name: 'announcements',
        kind: 'announcement',
        topic: 'News of the program',
        writtenBy: 'staff',
      },
      { ...program, key: 'channels:general', name: 'general', topic: 'Talk with the other partners', writtenBy: 'all' },
      {
        ...program,
        key: winsChannel,
        name: 'wins',
        topic: 'First sales, badges and other reasons to celebrate',
        writtenBy: 'all',
        notice: winsNotice(),
      },
      {
        ...program,
        key: leaderboardChannel,
        name: 'leaderboard',
        topic: 'Who is ahead this month',
        writtenBy: 'staff',
        notice: leaderboardNotice(),
      },
      ...industries.map(
        ({ key, name }): ChannelWish => ({
          key: industryChannel(key),
          name: key,
          kind: 'text',
          category: 'channels:industries',
          topic: `For partners in ${name}`,
          seenBy: { roles: [industryRole(key)] },
          writtenBy: 'all',
        }),
      ),
      {
        key: staffChannel,
        name: 'staff',
        kind: 'text',
        category: 'channels:staff',
        topic: 'What the program reports to its admins',
        seenBy: 'admins',
        writtenBy: 'all',
        notice: staffNotice(),
      },
    ],
  }
}

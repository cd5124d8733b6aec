// Every word that coupons say to people.
import { card, type Message, time } from '../../commands/messages.ts'
import type { Coupon } from './service.ts'

export function couponCreated({ code }: Coupon): Message {
  return card({
    title: 'Your coupon code',
    body: [
      codeBlock(code),
      'Whoever enters it at the checkout is counted for you, upper or lower case. The team was told, so that the shop gives its discount for it; ask them what it takes off.',
    ],
    tone: 'good',
    footer: 'See all your codes with /coupon list.',
  })
}

export function couponList(coupons: readonly Coupon[]): Message {
  if (coupons.length === 0)
    return card({
      title: 'You have no coupon code yet',
      body: 'Make one with `/coupon create`, then name it wherever people can only listen.',
    })
  return card({
    title: coupons.length === 1 ? 'Your coupon code' : `Your ${coupons.length} coupon codes`,
    body: coupons.map((coupon) => `• \`${coupon.code}\` · ${state(coupon)} · made ${time(coupon.createdAt)}`).join('\n'),
    footer: 'A paused code does not count. Ask the team if you wonder why.',
  })
}

const state = ({ pausedAt }: Coupon): string => (pausedAt ? `⏸️ paused ${time(pausedAt)}` : '✅ counts for you')

/** For the staff: a code without a discount in the shop does nothing. */
export function newCodeForStaff(coupon: Coupon): Message {
  return card({
    title: 'A partner made a coupon code',
    body: [
      codeBlock(coupon.code),
      `It speaks for <@${coupon.userId}>. Make a promotion code with exactly these letters in your shop, so that the checkout takes it.`,
    ],
    footer: 'Not what you want? /admin coupons pause stops it.',
  })
}

export function couponAssigned({ code, userId }: Coupon, made: boolean): Message {
  return card({
    title: made ? 'The code is assigned' : 'Nothing changed',
    body: made
      ? `\`${code}\` counts for <@${userId}> from now on, and they were told. Make a promotion code with the same letters in your shop.`
      : `\`${code}\` is <@${userId}>’s already.`,
    ...(made && { tone: 'good' as const }),
  })
}

export function pauseChanged({ code, userId, pausedAt }: Coupon, changed: boolean): Message {
  const words = pausedAt
    ? `\`${code}\` is paused: payments from now on are not counted for <@${userId}>. What was paid before stays.`
    : `\`${code}\` counts for <@${userId}> again.`
  return card({ title: changed ? 'Done' : 'Nothing changed', body: words, ...(changed && { tone: 'good' as const }) })
}

export function assignedMessage(program: string, { code }: Coupon): Message {
  return card({
    title: 'You have a new coupon code',
    body: [codeBlock(code), `Whoever enters it at ${program}’s checkout is counted for you.`],
    tone: 'good',
    footer: '/coupon list shows all your codes.',
  })
}

export function pausedMessage({ code, pausedAt }: Coupon): Message {
  return pausedAt
    ? card({
        title: 'One of your codes is paused',
        body: `The team paused \`${code}\`: payments from now on are not counted for you through it. What it brought so far stays yours. Ask them if you wonder why.`,
        tone: 'warn',
      })
    : card({ title: 'Your code works again', body: `\`${code}\` counts for you again.`, tone: 'good' })
}

const codeBlock = (code: string): string => `\`\`\`\n${code}\n\`\`\``

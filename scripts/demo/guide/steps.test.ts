// The guide's words: who does a step, what is offered, and that each step is ticked by what is seen and by nothing else.
import { expect, test } from 'vitest'
import { nothingSeen, type Seen, stepsOf, suggestedName } from './steps.ts'

const owner = { id: '1', username: 'mira' }
const addresses = { shop: 'http://shop.test', stripe: 'http://stripe.test/dashboard' }
const steps = (seen: Partial<Seen>) => stepsOf({ ...nothingSeen, ...seen }, owner, addresses)
const done = (seen: Partial<Seen>) => steps(seen).flatMap((step) => (step.done ? [step.id] : []))

test('before anybody came, a partner is suggested who does not exist yet', () => {
  expect(steps({}).find(({ id }) => id === 'join')?.who).toEqual({ username: suggestedName })
  expect(steps({}).find(({ id }) => id === 'set-up')?.who).toEqual(owner)
  expect(done({})).toEqual([])
})

test('once somebody came, the partner’s steps are theirs, and buying leads to their link', () => {
  const seen = steps({ newcomer: { id: '2', username: 'grace' }, link: 'http://program.test/r/grace' })
  expect(seen.find(({ id }) => id === 'register')?.who).toEqual({ id: '2', username: 'grace' })
  expect(seen.find(({ id }) => id === 'buy')?.links).toEqual([{ label: 'Open the link', url: 'http://program.test/r/grace' }])
})

test.each<[string, Partial<Seen>, string[]]>([
  ['a server with channels', { setUp: true }, ['set-up']],
  ['a mail to the newcomer', { registered: 'grace@navy.example' }, ['register']],
  ['a hold of no days alone', { payable: true }, []],
  ['a hold of no days, and no cooling', { payable: true, noCooling: true }, ['hold']],
  ['a transfer', { sentMoney: true }, ['run']],
])('%s ticks what it proves', (_, seen, ids) => expect(done(seen)).toEqual(ids))

test('every step says what to do and why', () =>
  expect(steps({}).filter(({ text, why }) => text.length < 20 || why.length < 20)).toEqual([]))

// Every word about webhooks that people read.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { type Endpoint, type EndpointState, oldSecretHours } from './endpoints.ts'
import type { Sent } from './sender.ts'

/** Nothing goes out unsigned. */
export const unreadableSecret =
  'its signing secret cannot be read, because SECRET_KEY is not the one it was kept under; /admin-api webhooks rotate makes a new one'

export function endpointAdded(endpoint: Endpoint, secret: string): Message {
  return card({
    title: 'Events are sent there from now on',
    body: [
      `${literal(endpoint.url)} gets ${endpoint.types ? endpoint.types.map((type) => `\`${type}\``).join(' ') : 'all events'}.`,
      `Copy the signing secret now; it is shown this once:\n\`\`\`\n${secret}\n\`\`\``,
      'Check each message with it before you believe it: any library for Standard Webhooks does that.',
    ],
    tone: 'good',
    footer: 'Try it with /admin-api webhooks test.',
  })
}

export function secretRotated(endpoint: Endpoint, secret: string): Message {
  return card({
    title: 'A new signing secret',
    body: [
      `For ${literal(endpoint.url)}. Copy it now; it is shown this once:\n\`\`\`\n${secret}\n\`\`\``,
      `Until ${time(endpoint.oldSecretUntil!, 'f')} (${oldSecretHours} hours) messages are signed with the old secret as well, so that you can change over without losing any.`,
    ],
    tone: 'good',
  })
}

export function endpointList(endpoints: readonly EndpointState[], types: readonly string[]): Message {
  if (endpoints.length === 0)
    return card({
      title: 'There are no webhooks yet',
      body: [
        'Add one with `/admin-api webhooks add`, and what happens is sent to your server within seconds.',
        types.length > 0 && `The events are: ${types.map((type) => `\`${type}\``).join(' ')}`,
      ].filter((line) => typeof line === 'string'),
    })
  return card({
    title: endpoints.length === 1 ? 'One webhook' : `${endpoints.length} webhooks`,
    body: endpoints.map(endpointLine).join('\n'),
    ...(endpoints.some((endpoint) => endpoint.disabledAt) && { tone: 'warn' as const }),
  })
}

function endpointLine(endpoint: EndpointState): string {
  const state = endpoint.disabledAt
    ? `⏹️ switched off ${time(endpoint.disabledAt)}: ${literal(endpoint.disabledReason!)}`
    : endpoint.failures > 0
      ? `⚠️ the last ${endpoint.failures === 1 ? 'attempt' : `${endpoint.failures} attempts`} failed`
      : '✅ works'
  const success = endpoint.lastSuccessAt ? `last delivered ${time(endpoint.lastSuccessAt)}` : 'nothing delivered yet'
  const numbers = [
    endpoint.pending > 0 && `${endpoint.pending} waiting`,
    endpoint.failed > 0 && `${endpoint.failed} given up`,
  ].filter(Boolean)
  return `• **${literal(endpoint.url)}** · ${state} · ${[success, ...numbers].join(' · ')}\n-# ${endpoint.types?.join(', ') ?? 'all events'}`
}

export function testResult(endpoint: Endpoint, sent: Sent): Message {
  return card({
    title: sent.ok ? 'The test arrived' : 'The test did not arrive',
    body: sent.ok
      ? `${literal(endpoint.url)} answered ${sent.result}.`
      : `${literal(endpoint.url)}: ${literal(sent.result)}. A webhook has arrived when the answer is 2xx, within ten seconds.`,
    tone: sent.ok ? 'good' : 'bad',
  })
}

export function replayAsked(endpoint: Endpoint, events: number, since: Date): Message {
  return card({
    title: events === 0 ? 'There is nothing to send again' : `${events === 1 ? 'One event is' : `${events} events are`} sent again`,
    body: `To ${literal(endpoint.url)}, from ${time(since, 'f')} on. Ids stay the same: what was handled before can be told by them.`,
    ...(events > 0 && { tone: 'good' as const }),
  })
}

export function endpointRemoved(endpoint: Endpoint): Message {
  return card({
    title: 'Nothing is sent there any more',
    body: `${literal(endpoint.url)} was removed, with what was waiting for it.`,
  })
}

export function endpointDisabled(url: string, reason: string, lastSuccessAt: Date | null): Message {
  return card({
    title: 'A webhook was switched off',
    body: [
      `${literal(url)}: ${literal(reason)}. ${lastSuccessAt ? `The last message arrived ${time(lastSuccessAt, 'f')}.` : 'No message ever arrived.'}`,
      'Nothing is lost: mend the server, then `/admin-api webhooks replay` sends what it missed and switches it on again. `GET /v1/events` has all of it, too.',
    ],
    tone: 'bad',
  })
}

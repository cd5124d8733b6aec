// Brings PayPal's events to the door of the program, until they are taken in; what PayPal did not sign must be refused there.
import { Crash } from '../faults.ts'
import type { PayPal, PayPalEvent } from '../paypal.ts'
import type { Setting } from './setting.ts'
import type { Work } from './work.ts'

export interface Courier {
  bring(day: number): Promise<void>
}

export function createCourier({ house, faults }: Setting, paypal: PayPal, work: Work): Courier {
  async function post({ body, signature }: PayPalEvent): Promise<number> {
    const answer = await house.app.inject({
      method: 'POST',
      url: '/webhooks/paypal',
      headers: {
        'content-type': 'application/json',
        'paypal-auth-algo': 'SHA256withRSA',
        'paypal-cert-url': 'https://paypal.example/cert',
        'paypal-transmission-id': 'simulation',
        'paypal-transmission-sig': signature,
        'paypal-transmission-time': house.clock.now().toISOString(),
      },
      payload: body,
    })
    return answer.statusCode
  }

  return {
    bring: async (day) => {
      for (const [i, event] of paypal.eventsOn(day).entries()) {
        const status = await faults.survive(`paypal ${day} ${i}`, async () => {
          const code = await post(event)
          // PayPal delivers again what was not answered with 200.
          if (code >= 500) throw new Crash('the program did not take the event')
          return code
        })
        const expected = event.signature === 'signed-by-paypal' ? 200 : 400
        if (status !== expected)
          throw new Error(`an event of PayPal was answered with ${status} instead of ${expected}: ${event.body}`)
        await work.deliverPayPal(day)
      }
    },
  }
}

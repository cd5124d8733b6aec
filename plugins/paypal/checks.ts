// What `npm run doctor` looks at for PayPal. Changes nothing.
import type { Check } from '../kit/index.ts'
import { type PayPalApi, PayPalRefusal } from './client.ts'

export function paypalChecks(setup: {
  api: PayPalApi | undefined
  /** Only one of client id and secret is set. */
  half: boolean
  webhookId: string | undefined
  webhookUrl: string
}): Check[] {
  const { api, half, webhookId, webhookUrl } = setup
  if (half)
    return [
      {
        title: 'PayPal: credentials',
        run: async () => 'PayPal is off: set both PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET, or neither.',
      },
    ]
  if (!api) return []
  return [
    {
      title: 'PayPal: credentials and webhook',
      run: async () => {
        try {
          const webhook = (await api.webhooks()).find(({ id }) => id === webhookId)
          if (webhookId === undefined || webhook?.url === webhookUrl) return undefined
          return webhook
            ? `The webhook ${webhookId} points to ${webhook.url}, and not to ${webhookUrl}. Change it at https://developer.paypal.com/dashboard/applications → your app → Webhooks.`
            : `This PayPal app has no webhook ${webhookId}. Add ${webhookUrl} at https://developer.paypal.com/dashboard/applications → your app → Webhooks, and set PAYPAL_WEBHOOK_ID to its id.`
        } catch (error) {
          return error instanceof PayPalRefusal
            ? `${error.message}. Check both against https://developer.paypal.com/dashboard/applications.`
            : `PayPal does not answer: ${error instanceof Error ? error.message : String(error)}.`
        }
      },
    },
  ]
}

// The outside world on one machine: Discord, Stripe, PayPal, SendGrid and a shop, each speaking its vendor's wire, and the browser client.
// Imports nothing of the product. Discord's port also answers /sandbox for all of them.

import { clientRoutes, type Feature } from './client/index.ts'
import { type Call, Reply, type Route } from './discord/http.ts'
import { createDiscordSandbox, type DiscordSandbox } from './discord/index.ts'
import { createMailSandbox, type MailSandbox } from './mail/index.ts'
import { createPayPalSandbox, type PayPalSandbox, type PayPalSandboxOptions } from './paypal/index.ts'
import { createShop, type Shop } from './shop/index.ts'
import { createStripeSandbox, type StripeSandbox, type StripeSandboxOptions } from './stripe/index.ts'

export interface SandboxOptions {
  /** Discord's port, which also serves the client and /sandbox. 0 (the default) takes any free one; the vendors always do. */
  port?: number
  host?: string
  /** Unix milliseconds, for all of them. */
  clock?: () => number
  stripe?: Pick<StripeSandboxOptions, 'webhooks' | 'funds' | 'payoutDelayMs' | 'platform' | 'secretKeys'>
  paypal?: Pick<PayPalSandboxOptions, 'webhooks' | 'funds' | 'clientId' | 'clientSecret' | 'processDelayMs'>
  /** Key with which the shop sells. */
  stripeSecretKey?: string
  /** What the host of the demo adds: further routes beside /sandbox, and what the client may then show. */
  routes?: readonly Route[]
  features?: readonly Feature[]
}

interface SandboxUrls {
  discord: { api: string; gateway: string; client: string }
  stripe: string
  paypal: string
  sendgrid: string
  shop: string
}

export interface Sandbox {
  urls: SandboxUrls
  discord: DiscordSandbox
  stripe: StripeSandbox
  paypal: PayPalSandbox
  mail: MailSandbox
  shop: Shop
  close: () => Promise<void>
}

/** Starts all of them. Rejects with the system's error (EADDRINUSE) when the port is taken; nothing is left running then. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1'
  const now = options.clock ?? Date.now
  const clock = { now: () => new Date(now()) }
  const running: { close: () => Promise<unknown> }[] = []
  const started = async <T extends { close: () => Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting
    running.unshift(one)
    return one
  }
  const close = async (): Promise<void> => {
    for (const one of running.splice(0)) await one.close()
  }

  try {
    const stripe = await started(createStripeSandbox({ host, clock, ...options.stripe }))
    const paypal = await started(createPayPalSandbox({ host, clock, ...options.paypal }))
    const mail = await started(createMailSandbox({ host, clock }))
    const shop = await started(
      createShop({
        host,
        stripeApi: { host: stripe.host, port: stripe.port, protocol: 'http' },
        secretKey: options.stripeSecretKey ?? 'sk_test_sandbox',
      }),
    )
    const links = {
      shop: shop.url,
      stripe: `${stripe.url}/dashboard`,
      paypal: `${paypal.url}/dashboard`,
      mail: `${mail.url}/mail`,
    }
    const discord = await started(
      createDiscordSandbox({
        port: options.port ?? 0,
        host,
        clock: now,
        onReset: () => {
          stripe.reset()
          paypal.reset()
          mail.reset()
          shop.reset()
        },
        routes: [
          ...(await clientRoutes({ features: ['people', 'guilds', 'mail', 'links', ...(options.features ?? [])] })),
          { method: 'GET', pattern: '/sandbox/links', open: true, handler: () => links },
          ...forward('/sandbox/mail', mail.url),
          ...forward('/sandbox/stripe', stripe.url),
          ...forward('/sandbox/paypal', paypal.url),
          ...(options.routes ?? []),
        ],
      }),
    )
    return {
      urls: {
        discord: { api: discord.api, gateway: discord.gateway, client: `${discord.url}/client` },
        stripe: stripe.url,
        paypal: paypal.url,
        sendgrid: mail.url,
        shop: shop.url,
      },
      discord,
      stripe,
      paypal,
      mail,
      shop,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Passes calls below the prefix on to the vendor that answers them. */
function forward(prefix: string, target: string): Route[] {
  const handler = async (call: Call): Promise<Reply> => {
    const query = call.query.size > 0 ? `?${call.query}` : ''
    const hasBody = call.raw.length > 0
    const answer = await fetch(`${target}${call.path}${query}`, {
      method: call.method,
      headers: hasBody && call.contentType ? { 'content-type': call.contentType } : {},
      ...(hasBody ? { body: new Uint8Array(call.raw) } : {}),
      redirect: 'manual',
    })
    const type = answer.headers.get('content-type')
    return new Reply(answer.status, Buffer.from(await answer.arrayBuffer()), type ? { 'Content-Type': type } : {})
  }
  return [prefix, `${prefix}/*`].map((pattern) => ({ method: '*', pattern, open: true, handler }))
}

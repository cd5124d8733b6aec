// What an operator sets up between the program and the world outside: a server with an owner, a bot, webhooks, and the environment that names them all.
import { randomBytes } from 'node:crypto'
import { PermissionFlagsBits } from 'discord-api-types/v10'
import type Stripe from 'stripe'
import { permissionsOf } from '../../plugins/kit/permissions.ts'
import { connectEvents, platformEvents } from '../../plugins/stripe/facts.ts'
import type { Sandbox } from '../../sandbox/server.ts'
import { listPlugins } from '../company.ts'
import type { Identity } from './person.ts'

export interface Place {
  readonly guildId: string
  readonly owner: Identity
  /** Of the program's process. */
  readonly environment: Readonly<Record<string, string>>
}

export const stripeKey = 'sk_test_sandbox'

/** Sets everything up in a sandbox that is empty. `environment` is added to the program's, and overrides it. */
export async function furnish(options: {
  sandbox: Sandbox
  control: <T>(method: string, url: string, body?: unknown) => Promise<T>
  stripe: Stripe
  port: number
  dataDirectory: string
  environment: Readonly<Record<string, string>>
}): Promise<Place> {
  const { sandbox, control, stripe, port } = options
  const { urls, paypal } = sandbox
  const owner = await control<Identity>('POST', '/sandbox/people', { username: 'mira' })
  const guild = await control<{ id: string }>('POST', '/sandbox/guilds', {
    name: 'SISO Partners',
    owner_id: owner.id,
    channels: [{ name: 'general', type: 0 }],
  })
  const application = await control<{ id: string; token: string }>('POST', '/sandbox/applications', { name: 'SISO' })
  await control('PUT', `/sandbox/guilds/${guild.id}/applications/${application.id}`, {
    permissions: permissionsOf(await listPlugins()).toString(),
  })
  const publicUrl = `http://127.0.0.1:${port}`
  return {
    guildId: guild.id,
    owner,
    environment: {
      DISCORD_TOKEN: application.token,
      DISCORD_API_URL: urls.discord.api,
      STRIPE_SECRET_KEY: stripeKey,
      STRIPE_API_URL: urls.stripe,
      STRIPE_WEBHOOK_SECRET: (await webhookSecrets(stripe, publicUrl)).join(','),
      PAYPAL_CLIENT_ID: paypal.clientId,
      PAYPAL_CLIENT_SECRET: paypal.clientSecret,
      PAYPAL_API_URL: urls.paypal,
      PAYPAL_WEBHOOK_ID: paypal.addWebhook({ url: `${publicUrl}/webhooks/paypal` }).id,
      SENDGRID_API_KEY: 'SG.sandbox.key',
      SENDGRID_API_URL: urls.sendgrid,
      MAIL_FROM: 'partners@siso.example',
      // The company's own programs are on this machine, too.
      WEBHOOK_ALLOW_PRIVATE: 'true',
      PUBLIC_URL: publicUrl,
      PORT: String(port),
      SECRET_KEY: randomBytes(36).toString('base64'),
      DATA_DIR: options.dataDirectory,
      ...options.environment,
    },
  }
}

/** A second admin: what takes two, one person cannot do alone. */
export async function addDeputy(
  place: Place,
  api: string,
  control: <T>(method: string, url: string, body?: unknown) => Promise<T>,
): Promise<Identity> {
  const answer = await fetch(`${api}/v10/guilds/${place.guildId}/roles`, {
    method: 'POST',
    headers: { authorization: place.owner.token, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Staff', permissions: String(PermissionFlagsBits.Administrator), hoist: true, color: 0xe67e22 }),
  })
  if (!answer.ok) throw new Error(`The role of staff was not made: ${answer.status} ${await answer.text()}`)
  const { id: role } = (await answer.json()) as { id: string }
  const deputy = await control<Identity>('POST', '/sandbox/people', { username: 'otis' })
  await control('PUT', `/sandbox/guilds/${place.guildId}/members/${deputy.id}`, { roles: [role] })
  return deputy
}

/** What an operator does in Stripe's dashboard: one endpoint for the platform's own events and one for those of connected accounts. */
async function webhookSecrets(stripe: Stripe, publicUrl: string): Promise<string[]> {
  const url = `${publicUrl}/webhooks/stripe`
  const endpoints = [
    await stripe.webhookEndpoints.create({ url, enabled_events: [...platformEvents] }),
    await stripe.webhookEndpoints.create({ url, enabled_events: [...connectEvents], connect: true }),
  ]
  return endpoints.map((endpoint) => endpoint.secret!)
}

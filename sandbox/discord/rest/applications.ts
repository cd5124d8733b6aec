// Applications: the bot's own, and what others may know of it.

import { type Context, requireBot, requireGuild, requireId } from '../access.ts'
import { missingAccess, unknownThing } from '../errors.ts'
import type { Route } from '../http.ts'
import { presentApplication, presentBasicApplication, userOf } from '../present.ts'
import type { Application, Wire } from '../store.ts'
import { list, object, text, validate } from '../validate.ts'

export function applicationRoutes(context: Context): Route[] {
  const { world } = context

  const edit = (application: Application, body: unknown): Wire => {
    const changes = validate<{ description?: string; tags?: string[] }>(
      object({ description: text({ max: 400 }), tags: list(text({ min: 1, max: 20 }), { max: 5 }) }),
      body,
    )
    if (changes.description !== undefined) application.description = changes.description
    if (changes.tags !== undefined) application.tags = changes.tags
    return presentApplication(world, application)
  }

  const own = (call: Parameters<Route['handler']>[0]): Application => {
    const application = requireBot(call)
    if (requireId('application_id', call.params.application) !== application.id) throw missingAccess()
    return application
  }

  return [
    { method: 'GET', pattern: '/applications/@me', handler: (call) => presentApplication(world, requireBot(call)) },
    { method: 'PATCH', pattern: '/applications/@me', handler: (call) => edit(requireBot(call), call.body) },
    { method: 'GET', pattern: '/oauth2/applications/@me', handler: (call) => presentApplication(world, requireBot(call)) },
    { method: 'GET', pattern: '/applications/:application', handler: (call) => presentApplication(world, own(call)) },
    { method: 'PATCH', pattern: '/applications/:application', handler: (call) => edit(own(call), call.body) },
    {
      method: 'GET',
      pattern: '/applications/:application/rpc',
      open: true,
      handler: (call) => {
        const application = world.applications.get(requireId('application_id', call.params.application))
        if (!application) throw unknownThing('application')
        return presentBasicApplication(world, application)
      },
    },
    { method: 'GET', pattern: '/applications/:application/entitlements', handler: (call) => emptyFor(own(call)) },
    { method: 'GET', pattern: '/applications/:application/skus', handler: (call) => emptyFor(own(call)) },
    {
      method: 'GET',
      pattern: '/applications/:application/role-connections/metadata',
      handler: (call) => own(call).roleConnectionMetadata,
    },
    {
      method: 'PUT',
      pattern: '/applications/:application/role-connections/metadata',
      handler: (call) => {
        const application = own(call)
        application.roleConnectionMetadata = validate<Wire[]>(list(object({}), { max: 5 }), call.body)
        return application.roleConnectionMetadata
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/integrations',
      handler: (call) => {
        const { guild } = requireGuild(context, call)
        return [...guild.integrations].flatMap(([id, applicationId]) => {
          const application = world.applications.get(applicationId)
          if (!application) return []
          return [
            {
              id,
              type: 'discord',
              name: application.name,
              enabled: true,
              account: { id: application.id, name: application.name },
              application: presentBasicApplication(world, application),
              scopes: ['bot', 'applications.commands'],
              user: userOf(world, guild.owner_id),
            },
          ]
        })
      },
    },
  ]
}

/** The sandbox keeps no entitlements or SKUs of an application. */
const emptyFor = (_application: Application): never[] => []

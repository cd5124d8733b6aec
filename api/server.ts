// Listens. Everything else about HTTP is in app.ts.
import type { FastifyInstance } from 'fastify'
import { ConfigurationError } from '../plugins/kit/environment.ts'

/** Starts listening and returns the address. @throws ConfigurationError with a sentence when the port is taken */
export async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new ConfigurationError(
        `Port ${port} on ${host} is in use by another program. Stop that program, or choose another port with PORT.`,
      )
    if (code === 'EACCES')
      throw new ConfigurationError(`Port ${port} may not be opened by this user. Choose a port above 1024 with PORT.`)
    throw error
  }
}

// What the demo adds to the sandbox's own endpoints: the guide's steps, what the demo is doing, and starting over.
import { created, Reply, type Route } from '../../sandbox/discord/http.ts'
import { type Guide, startGuide } from './guide/watch.ts'
import { startWorld, type World, type WorldOptions } from './world.ts'

export interface DemoHost {
  readonly world: World
  close(): Promise<void>
}

interface Demo {
  state: 'running' | 'resetting' | 'failed'
  /** What is being done, or why it failed. */
  progress: string
}

/** Starts the world with the guide beside it. `GET /sandbox/guide`, `GET /sandbox/demo`, `POST /sandbox/demo/reset` (201, or 409 while one goes on). */
export async function startDemo(options: Omit<WorldOptions, 'routes' | 'features'>): Promise<DemoHost> {
  const demo: Demo = { state: 'running', progress: '' }
  let world: World | undefined
  let guide: Guide | undefined
  let resetting: Promise<void> = Promise.resolve()

  const reset = async (): Promise<void> => {
    try {
      guide?.close()
      guide = undefined
      await world!.reset()
      guide = await startGuide(world!)
      Object.assign(demo, { state: 'running', progress: '' })
    } catch (error) {
      Object.assign(demo, { state: 'failed', progress: error instanceof Error ? error.message : String(error) })
    }
  }
  const routes: Route[] = [
    { method: 'GET', pattern: '/sandbox/guide', open: true, handler: () => guide?.steps() ?? [] },
    { method: 'GET', pattern: '/sandbox/demo', open: true, handler: () => demo },
    {
      method: 'POST',
      pattern: '/sandbox/demo/reset',
      open: true,
      handler: () => {
        if (!world || demo.state === 'resetting') return new Reply(409, { message: 'The demo is starting already.', code: 0 })
        Object.assign(demo, { state: 'resetting', progress: 'stopping the program' })
        resetting = reset()
        return created(demo)
      },
    },
  ]
  world = await startWorld({
    ...options,
    routes,
    features: options.environment?.DATABASE_URL ? ['guide'] : ['guide', 'reset'],
    onProgress: (what) => {
      if (demo.state === 'resetting') demo.progress = what
      options.onProgress?.(what)
    },
  })
  guide = await startGuide(world)
  const started = world
  return {
    world: started,
    close: async () => {
      await resetting
      guide?.close()
      await started.close()
    },
  }
}

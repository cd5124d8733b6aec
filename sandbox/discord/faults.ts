// Faults on demand: answers that fail, wait or are rate limited, as often as asked. Matches calls, never touches the world.

export interface HttpFault {
  kind: 'status' | 'delay' | 'rate'
  /** Part of the path; a star stands for anything, `:id` for one segment. */
  route?: string
  method?: string
  status?: number
  ms?: number
  /** How many more calls it meets; without a limit until deleted. */
  count?: number
}

export interface Faults {
  add: (fault: HttpFault) => void
  /** The faults that this call meets now; counts them down. */
  meet: (method: string, path: string) => HttpFault[]
  list: () => HttpFault[]
  clear: () => void
}

export function createFaults(): Faults {
  let faults: HttpFault[] = []
  return {
    add: (fault) => {
      faults.push({ ...fault })
    },
    meet: (method, path) => {
      const met = faults.filter((fault) => (!fault.method || fault.method.toUpperCase() === method) && matches(fault.route, path))
      for (const fault of met) if (fault.count !== undefined) fault.count -= 1
      faults = faults.filter((fault) => fault.count === undefined || fault.count > 0)
      return met
    },
    list: () => faults,
    clear: () => {
      faults = []
    },
  }
}

function matches(route: string | undefined, path: string): boolean {
  if (!route) return true
  const source = route
    .replace(/^\/api(\/v\d+)?/, '')
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+'))
    .join('.*')
  return new RegExp(source).test(path)
}

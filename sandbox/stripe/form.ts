// Form-encoded bodies and queries with nested brackets, as Stripe's API takes them. Text in, nested text out: types are not its business.

/** A parsed form: text, lists and nested forms. */
export type FormValue = string | FormValue[] | { [key: string]: FormValue }
export type Form = { [key: string]: FormValue }

interface Branch {
  children: Map<string, Branch | string>
}

/**
 * Parses `a=1&b[c]=2&d[0]=x&e[]=y` into `{a: '1', b: {c: '2'}, d: ['x'], e: ['y']}`. A branch whose keys are all indices becomes a list,
 * in the order of its indices. Throws when a key is used both as a value and as a branch.
 */
export function parseForm(text: string): Form {
  const root: Branch = { children: new Map() }
  for (const [name, value] of new URLSearchParams(text)) plant(root, pathOf(name), value, name)
  const form: Form = {}
  for (const [key, child] of root.children) form[key] = harvest(child)
  return form
}

/** `a[b][0]` → `['a', 'b', '0']`. */
function pathOf(name: string): string[] {
  const bracket = name.indexOf('[')
  if (bracket <= 0) return [name]
  return [name.slice(0, bracket), ...[...name.slice(bracket).matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '')]
}

function plant(root: Branch, path: readonly string[], value: string, name: string): void {
  let branch = root
  path.forEach((segment, depth) => {
    const key = segment === '' && depth > 0 ? String(branch.children.size) : segment
    const last = depth === path.length - 1
    const existing = branch.children.get(key)
    if (last) {
      if (existing !== undefined && typeof existing !== 'string')
        throw new Error(`Invalid request: ${name} is both a value and an object`)
      branch.children.set(key, value)
      return
    }
    if (typeof existing === 'string') throw new Error(`Invalid request: ${name} is both a value and an object`)
    const next = existing ?? { children: new Map() }
    branch.children.set(key, next)
    branch = next
  })
}

function harvest(node: Branch | string): FormValue {
  if (typeof node === 'string') return node
  const keys = [...node.children.keys()]
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key)))
    return keys.sort((a, b) => Number(a) - Number(b)).map((key) => harvest(node.children.get(key)!))
  const form: Form = Object.create(null) as Form
  for (const [key, child] of node.children) form[key] = harvest(child)
  return { ...form }
}

// Reads the type declarations that ship with the `stripe` package, so that the sandbox knows every parameter, field and enum of the pinned
// API version without a copy of them. It understands the generated subset of TypeScript found there, and nothing else.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A type as declared: references are resolved and aliases followed by `resolve`. */
export type TypeNode =
  | { kind: 'primitive'; name: string }
  | { kind: 'literal'; value: string | number | boolean }
  | { kind: 'array'; of: TypeNode }
  | { kind: 'union'; of: TypeNode[] }
  | { kind: 'object'; fields: Map<string, Field>; index: TypeNode | undefined; name: string }
  | { kind: 'reference'; path: string[]; args: TypeNode[]; scope: Scope }

export interface Field {
  optional: boolean
  type: TypeNode
}

/** A file or namespace: what it declares, what it imports, and what encloses it. */
interface Scope {
  file: string
  parent: Scope | undefined
  types: Map<string, TypeNode>
  namespaces: Map<string, Scope>
  imports: Map<string, { file: string; name: string }>
}

const ROOT = join(dirname(fileURLToPath(import.meta.resolve('stripe'))), 'resources')
const files = new Map<string, Scope>()

/** The declared type `name` (dots for namespaces) of a resource file, e.g. `declared('Checkout/Sessions', 'Checkout.SessionCreateParams')`. */
export function declared(file: string, name: string): TypeNode {
  const scope = load(join(ROOT, `${file}.d.ts`))
  return resolve({ kind: 'reference', path: name.split('.'), args: [], scope })
}

/** Follows references and aliases to a primitive, literal, array, union or object. */
export function resolve(node: TypeNode): TypeNode {
  if (node.kind !== 'reference') return node
  const [head = '', ...rest] = node.path
  if (head === 'Array') return { kind: 'array', of: node.args[0]! }
  if (head === 'Emptyable')
    return { kind: 'union', of: [{ kind: 'primitive', name: 'null' }, { kind: 'literal', value: '' }, node.args[0]!] }
  if (head === 'Decimal') return { kind: 'primitive', name: 'decimal' }
  if (head === 'OtherString') return { kind: 'primitive', name: 'other' }
  if (head === 'ApiList') return listOf(node.args[0]!)
  return resolve(find(node.scope, head, rest))
}

function listOf(of: TypeNode): TypeNode {
  const field = (type: TypeNode): Field => ({ optional: false, type })
  const fields = new Map([
    ['object', field({ kind: 'literal', value: 'list' })],
    ['data', field({ kind: 'array', of })],
    ['has_more', field({ kind: 'primitive', name: 'boolean' })],
    ['url', field({ kind: 'primitive', name: 'string' })],
    ['total_count', { optional: true, type: { kind: 'primitive', name: 'number' } as TypeNode }],
  ])
  return { kind: 'object', fields, index: undefined, name: 'ApiList' }
}

function find(from: Scope, head: string, rest: readonly string[]): TypeNode {
  for (let scope: Scope | undefined = from; scope; scope = scope.parent) {
    const imported = scope.imports.get(head)
    if (imported?.name === '*') return find(load(imported.file), rest[0]!, rest.slice(1))
    if (imported) return find(load(imported.file), imported.name, rest)
    if (rest.length === 0) {
      const type = scope.types.get(head)
      if (type) return type
      continue
    }
    let space = scope.namespaces.get(head)
    for (const segment of rest.slice(0, -1)) space = space?.namespaces.get(segment)
    const type = space?.types.get(rest.at(-1)!)
    if (type) return type
  }
  throw new Error(`${from.file} declares no ${[head, ...rest].join('.')}`)
}

function load(file: string): Scope {
  const known = files.get(file)
  if (known) return known
  const scope: Scope = { file, parent: undefined, types: new Map(), namespaces: new Map(), imports: new Map() }
  files.set(file, scope)
  parse(tokenize(readFileSync(file, 'utf8')), scope)
  return scope
}

function tokenize(source: string): string[] {
  return (
    source
      .match(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\]|\\.)*'|"[^"]*"|[A-Za-z_$][\w$]*|-?\d[\d.]*|=>|\S/g)
      ?.filter((token) => !/^\/[/*]/.test(token)) ?? []
  )
}

/** A recursive descent over the tokens of one file; fills the scope. */
function parse(tokens: readonly string[], root: Scope): void {
  let at = 0
  const peek = (): string => tokens[at] ?? ''
  const next = (): string => tokens[at++] ?? ''
  const expect = (token: string): void => {
    if (next() !== token) throw new Error(`${root.file}: expected ${token} near "${tokens.slice(at - 4, at + 2).join(' ')}"`)
  }
  const accept = (token: string): boolean => (peek() === token ? Boolean(next()) : false)

  function statements(scope: Scope, end: string): void {
    while (at < tokens.length && peek() !== end) {
      if (accept('import')) importStatement(scope)
      else if (peek() === 'export' && tokens[at + 1] === '{') skipTo(';')
      else if (peek() === 'export' && tokens[at + 1] === '*') skipTo(';')
      else {
        accept('export')
        accept('declare')
        const keyword = next()
        if (keyword === 'interface') interfaceStatement(scope)
        else if (keyword === 'type') aliasStatement(scope)
        else if (keyword === 'namespace') {
          const space = childOf(scope, next())
          expect('{')
          statements(space, '}')
          expect('}')
        } else if (keyword === 'class') skipBlock()
        else skipTo(';')
      }
    }
  }

  function childOf(parent: Scope, name: string): Scope {
    const known = parent.namespaces.get(name)
    if (known) return known
    const child: Scope = { file: root.file, parent, types: new Map(), namespaces: new Map(), imports: new Map() }
    parent.namespaces.set(name, child)
    return child
  }

  function importStatement(scope: Scope): void {
    const names: Array<[string, string]> = []
    accept('type')
    if (accept('{')) {
      while (!accept('}')) {
        const name = next()
        names.push([accept('as') ? next() : name, name])
        accept(',')
      }
    } else if (accept('*')) {
      accept('as')
      names.push([next(), '*'])
    } else next()
    expect('from')
    const path = next().slice(1, -1)
    accept(';')
    const target = join(dirname(scope.file), path.replace(/\.js$/, '.d.ts'))
    for (const [local, name] of names) scope.imports.set(local, { file: target, name })
  }

  function interfaceStatement(scope: Scope): void {
    const name = next()
    if (peek() === '<') skipTo('>')
    const parents: TypeNode[] = []
    if (accept('extends'))
      do parents.push(single(scope))
      while (accept(','))
    const body = object(scope, name)
    if (parents.length === 0 || body.kind !== 'object') {
      scope.types.set(name, body)
      return
    }
    const own = body.fields
    // Parents may be declared later or elsewhere, so their fields are merged when somebody asks.
    let merged: Map<string, Field> | undefined
    const node = { kind: 'object' as const, index: body.index, name, fields: own }
    Object.defineProperty(node, 'fields', {
      get: () => {
        merged ??= new Map([...parents.flatMap((parent) => fieldsOf(resolve(parent))), ...own])
        return merged
      },
    })
    scope.types.set(name, node)
  }

  function aliasStatement(scope: Scope): void {
    const name = next()
    if (peek() === '<') {
      skipTo(';')
      return
    }
    expect('=')
    scope.types.set(name, union(scope))
    accept(';')
  }

  function union(scope: Scope): TypeNode {
    accept('|')
    const of = [single(scope)]
    while (accept('|')) of.push(single(scope))
    return of.length === 1 ? of[0]! : { kind: 'union', of }
  }

  function single(scope: Scope): TypeNode {
    let node = atom(scope)
    while (peek() === '[' && tokens[at + 1] === ']') {
      at += 2
      node = { kind: 'array', of: node }
    }
    while (accept('&')) atom(scope)
    return node
  }

  function atom(scope: Scope): TypeNode {
    const token = peek()
    if (token === '{') return object(scope, '')
    if (accept('(')) {
      const inner = union(scope)
      expect(')')
      return inner
    }
    next()
    if (token.startsWith("'") || token.startsWith('"')) return { kind: 'literal', value: token.slice(1, -1) }
    if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) }
    if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' }
    if (['string', 'number', 'boolean', 'null', 'void', 'undefined', 'unknown', 'any', 'never', 'bigint'].includes(token))
      return { kind: 'primitive', name: token }
    const path = [token]
    while (accept('.')) path.push(next())
    const args: TypeNode[] = []
    if (accept('<')) {
      do args.push(union(scope))
      while (accept(','))
      expect('>')
    }
    return { kind: 'reference', path, args, scope }
  }

  function object(scope: Scope, name: string): TypeNode {
    expect('{')
    const fields = new Map<string, Field>()
    let index: TypeNode | undefined
    while (!accept('}')) {
      accept('readonly')
      if (accept('[')) {
        skipTo(']')
        expect(':')
        index = union(scope)
      } else {
        const key = next().replace(/^['"]|['"]$/g, '')
        const optional = accept('?')
        expect(':')
        fields.set(key, { optional, type: union(scope) })
      }
      if (!accept(';')) accept(',')
    }
    return { kind: 'object', fields, index, name }
  }

  function skipTo(token: string): void {
    while (at < tokens.length && next() !== token);
  }

  function skipBlock(): void {
    skipTo('{')
    for (let depth = 1; depth > 0 && at < tokens.length; ) {
      const token = next()
      if (token === '{') depth += 1
      if (token === '}') depth -= 1
    }
  }

  statements(root, '')
}

function fieldsOf(node: TypeNode): Array<[string, Field]> {
  return node.kind === 'object' ? [...node.fields] : []
}

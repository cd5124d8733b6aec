// An independent check of the wire for tests: every answer (and request) against Discord's published API schema,
// read from the npm package discord-api-spec. Endpoints that the schema does not know (the client's own) are left out.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
// @ts-expect-error this build of the package has no type declarations
import * as published from 'discord-api-spec/zod'
import type { Exchange } from './http.ts'

interface Schema {
  safeParse: (value: unknown) => { success: boolean; error?: { issues: unknown[] } }
}

interface Operation {
  request: string | null
  responses: Map<string, string>
}

const schemas = published as unknown as Record<string, Schema>

/** Makes a checker: `observe` takes exchanges, `problems` lists what did not fit. */
export function createWireCheck(): {
  observe: (exchange: Exchange) => void
  problems: string[]
  check: (name: string, value: unknown) => void
} {
  const operations = readOperations()
  const problems: string[] = []
  const note = (where: string, type: string, value: unknown): void => {
    const misfit = misfitOf(parseType(type), value)
    if (misfit) problems.push(`${where}: not ${type.replace(/\s+/g, ' ')}: ${misfit.slice(0, 600)}`)
  }
  return {
    problems,
    check: (name, value) => note(name, name, value),
    observe: ({ method, path, request, multipart, status, response }) => {
      const operation = findOperation(operations, method, path)
      if (!operation || status >= 400) return
      const where = `${method} ${path} ${status}`
      const type = operation.responses.get(String(status))
      if (type === undefined) {
        problems.push(`${where}: the schema knows only ${[...operation.responses.keys()].join(', ')}`)
        return
      }
      if (status !== 204) note(where, type, JSON.parse(JSON.stringify(response)))
      if (operation.request && !multipart) note(`${method} ${path} request`, operation.request, withNumbers(request))
    },
  }
}

function readOperations(): { pattern: RegExp; literal: number; methods: Map<string, Operation> }[] {
  const folders = createRequire(import.meta.url).resolve.paths('discord-api-spec') ?? []
  const file = folders.map((folder) => join(folder, 'discord-api-spec/build/discord-api-spec.ts')).find((one) => existsSync(one))
  if (!file) throw new Error('discord-api-spec is not installed: run npm ci.')
  const text = readFileSync(file, 'utf8')
  const paths = text.slice(text.indexOf('export interface Paths {'))
  const body = paths.slice(0, paths.indexOf('\n}'))
  return body
    .split(/\n {2}"(?=\/)/)
    .slice(1)
    .map((chunk) => {
      const path = chunk.slice(0, chunk.indexOf('"'))
      const methods = new Map<string, Operation>()
      for (const part of chunk.split(/\n {4}(?=(?:get|post|put|patch|delete): \{)/).slice(1)) {
        const method = part.slice(0, part.indexOf(':')).toUpperCase()
        const request = /\n {6}requestBody\??:([^;]+?);\n/.exec(part)?.[1]?.trim() ?? null
        const responses = new Map(
          [...part.matchAll(/\n {8}"(\d+)":([\s\S]*?);(?=\n {8}(?:\/\*\*|"|\})|\n {6}\})/g)].map((match) => [
            match[1] ?? '',
            (match[2] ?? '').trim(),
          ]),
        )
        methods.set(method, { request: request === 'undefined' || request?.includes('{') ? null : request, responses })
      }
      return {
        pattern: new RegExp(`^${path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')}$`),
        literal: path.split('/').filter((segment) => !segment.startsWith('{')).length,
        methods,
      }
    })
}

/** The schema wants bitfields as numbers, while Discord's documentation and every client send them as text. */
function withNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) =>
      BITFIELDS.includes(key) && typeof entry === 'string' ? [key, Number(entry)] : [key, withNumbers(entry)],
    ),
  )
}

const BITFIELDS = ['permissions', 'allow', 'deny', 'default_member_permissions']

function findOperation(operations: ReturnType<typeof readOperations>, method: string, path: string): Operation | undefined {
  return operations
    .filter((one) => one.pattern.test(path))
    .sort((a, b) => b.literal - a.literal)
    .find((one) => one.methods.has(method))
    ?.methods.get(method)
}

type Type =
  | { kind: 'name'; name: string }
  | { kind: 'list'; item: Type }
  | { kind: 'union'; of: Type[] }
  | { kind: 'null' }
  | { kind: 'any' }

/** Reads a type expression of the package: names, unions, lists, null. Object literals and primitives pass anything. */
function parseType(text: string): Type {
  const tokens = text.match(/\w+|[|()[\]{}:;?]|"[^"]*"/g) ?? []
  let at = 0
  const union = (): Type => {
    if (tokens[at] === '|') at++
    const of = [postfix()]
    while (tokens[at] === '|') {
      at++
      of.push(postfix())
    }
    return of.length === 1 ? (of[0] as Type) : { kind: 'union', of }
  }
  const postfix = (): Type => {
    let type: Type
    if (tokens[at] === '(') {
      at++
      type = union()
      at++
    } else if (tokens[at] === '{') {
      let depth = 0
      do {
        if (tokens[at] === '{') depth++
        if (tokens[at] === '}') depth--
        at++
      } while (depth > 0 && at < tokens.length)
      type = { kind: 'any' }
    } else {
      const name = tokens[at++] ?? ''
      type = name === 'null' ? { kind: 'null' } : `${name}Schema` in schemas ? { kind: 'name', name } : { kind: 'any' }
    }
    while (tokens[at] === '[' && tokens[at + 1] === ']') {
      at += 2
      type = { kind: 'list', item: type }
    }
    return type
  }
  return union()
}

/** What does not fit, or null. */
function misfitOf(type: Type, value: unknown): string | null {
  switch (type.kind) {
    case 'any':
      return null
    case 'null':
      return value === null ? null : 'null expected'
    case 'list': {
      if (!Array.isArray(value)) return 'a list expected'
      for (const [index, item] of value.entries()) {
        const misfit = misfitOf(type.item, item)
        if (misfit) return `[${index}] ${misfit}`
      }
      return null
    }
    case 'union': {
      const misfits = type.of.map((one) => misfitOf(one, value))
      return misfits.includes(null) ? null : misfits.join(' | ')
    }
    default: {
      const result = schemas[`${type.name}Schema`]?.safeParse(value)
      return result?.success ? null : `${type.name} ${JSON.stringify(result?.error?.issues)}`
    }
  }
}

// Many links from a list: read and checked line by line, kept until whoever brought it says yes, then made all at once or not at all.
import { and, eq, lt } from 'drizzle-orm'
import { z } from 'zod'
import { type CsvRow, instantField, newId, type Reader, readCsv, type Tx, UserError } from '../../kit/index.ts'
import type { Partner } from '../../partners/public.ts'
import { imports } from '../tables.ts'
import { createLinks, type MadeLink, type NewLink, obstaclesOf } from './create.ts'
import { type Circumstances, emptyFields, fulfil } from './wish.ts'

/** Of a list; more come in several. */
export const mostRows = 500

export const columns = [
  'code',
  'campaign',
  'page',
  'landing',
  'tags',
  'expires',
  'max_clicks',
  'sub1',
  'sub2',
  'sub3',
  'sub4',
  'sub5',
] as const

/** What export writes beside them; import passes it over. */
export const passedOver: readonly string[] = ['link', 'state', 'clicks', 'leads_to', 'former_codes', 'made']

export interface Problem {
  readonly line: number
  readonly why: string
}

export interface ImportPlan {
  readonly links: readonly NewLink[]
  /** Everything that is wrong; with one problem nothing can be carried out. */
  readonly problems: readonly Problem[]
}

/**
 * What the list asks for. `ownerOf` says whose link a line is, from its `partner` column if there is one.
 * @throws UserError for a file that is no such list at all; `ownerOf` throws one for a line
 */
export async function planImport(
  reader: Reader,
  programId: string,
  text: string,
  known: Circumstances & { maxLinks: number },
  ownerOf: (partner: string) => Partner,
): Promise<ImportPlan> {
  const rows = rowsOf(text, known.isAdmin ? ['partner', ...columns] : columns)
  const links: NewLink[] = []
  const lines: number[] = []
  const problems: Problem[] = []
  for (const { line, cells } of rows) {
    try {
      links.push(linkOf(cells, known, ownerOf(cells.partner ?? '')))
      lines.push(line)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      problems.push({ line, why: error.message })
    }
  }
  const obstacles = await obstaclesOf(reader, programId, links, known.maxLinks)
  problems.push(...obstacles.map(({ at, error }) => ({ line: lines[at]!, why: error.message })))
  return { links, problems: problems.sort((a, b) => a.line - b.line) }
}

function rowsOf(text: string, allowed: readonly string[]): readonly CsvRow[] {
  const table = readCsv(text)
  const unknown = table?.header.find((name) => name !== '' && !allowed.includes(name) && !passedOver.includes(name))
  if (!table || table.header.every((name) => !allowed.includes(name)) || unknown !== undefined)
    throw new UserError(
      'not_a_link_list',
      `${unknown !== undefined && table ? `The column “${unknown.slice(0, 50)}” is not known.` : 'This is not a list of links.'} The first line names the columns, of which these may be there: ${allowed.join(', ')}.`,
    )
  if (table.rows.length === 0)
    throw new UserError('empty_list', 'The list has a first line and nothing below it. Write a link in each line.')
  if (table.rows.length > mostRows)
    throw new UserError('long_list', `The list has ${table.rows.length} links, and ${mostRows} can be made at once. Split it.`)
  return table.rows
}

function linkOf(cells: CsvRow['cells'], known: Circumstances, owner: Partner): NewLink {
  const given = (name: string) => cells[name] || undefined
  const limit = given('max_clicks')
  const fields = fulfil(
    emptyFields,
    {
      campaign: given('campaign'),
      page: given('page'),
      landing: given('landing'),
      tags: given('tags'),
      expires: given('expires'),
      maxClicks: limit === undefined ? undefined : /^\d+$/.test(limit) ? Number(limit) : Number.NaN,
      subs: Object.fromEntries(['sub1', 'sub2', 'sub3', 'sub4', 'sub5'].map((name) => [name, given(name)])),
    },
    known,
  )
  return { partnerId: owner.id, code: given('code'), fields }
}

const storedLinks = z.array(
  z.object({
    partnerId: z.uuid(),
    code: z.string().optional(),
    fields: z.object({
      campaign: z.string().nullable(),
      tags: z.array(z.string()),
      destination: z.string().nullable(),
      landingPageId: z.uuid().nullable(),
      expiresAt: instantField.nullable(),
      clickLimit: z.number().nullable(),
      subs: z.record(z.string(), z.string()).nullable(),
    }),
  }),
)

export interface Bringer {
  readonly programId: string
  /** Discord id. */
  readonly userId: string
}

/** Keeps what is to be made until it is carried out, for a day; returns its id. */
export async function keepImport(tx: Tx, { programId, userId }: Bringer, links: readonly NewLink[], now: Date): Promise<string> {
  const id = newId(now)
  const stored = storedLinks.encode(links.map(({ partnerId, code, fields }) => ({ partnerId, code, fields: plain(fields) })))
  await tx.insert(imports).values({ id, programId, userId, links: stored, createdAt: now })
  return id
}

const plain = (fields: NewLink['fields']) => ({ ...fields, subs: fields.subs && { ...fields.subs } })

/**
 * Makes what was kept, all of it, and forgets it: a second time there is nothing to carry out.
 * @throws UserError when it is gone, or something keeps one of the links from being made by now; then none is, and it is kept
 */
export async function carryOut(tx: Tx, bringer: Bringer, id: string, terms: { maxLinks: number; now: Date }): Promise<MadeLink[]> {
  const rows = await tx.delete(imports).where(isKept(bringer, id)).returning({ links: imports.links })
  if (rows.length === 0) throw gone()
  return createLinks(tx, bringer.programId, storedLinks.parse(rows[0]!.links), terms)
}

/** Forgets what was kept. */
export async function drop(tx: Tx, bringer: Bringer, id: string): Promise<void> {
  const rows = await tx.delete(imports).where(isKept(bringer, id)).returning({ id: imports.id })
  if (rows.length === 0) throw gone()
}

const isKept = ({ programId, userId }: Bringer, id: string) =>
  and(eq(imports.programId, programId), eq(imports.userId, userId), eq(imports.id, z.uuid().safeParse(id).data ?? nobody))
const nobody = '00000000-0000-0000-0000-000000000000'

/** Forgets lists that nobody carried out. */
export async function forgetImports(tx: Tx, before: Date): Promise<void> {
  await tx.delete(imports).where(lt(imports.createdAt, before))
}

function gone(): UserError {
  return new UserError(
    'import_gone',
    'This list was carried out or dropped already, or is older than a day. Bring it again with the file.',
  )
}

// Message components and modals: what Discord accepts (legacy rows and Components V2), and the form in which it stores them.
// Throws 50035 with the path of each problem.

import { invalidForm } from './errors.ts'
import type { Wire } from './store.ts'
import {
  all,
  boolean,
  type Check,
  lengthOf,
  list,
  nullable,
  object,
  oneOf,
  type Path,
  type Problem,
  required,
  snowflake,
  text,
  url,
  whole,
} from './validate.ts'

export const Component = {
  ROW: 1,
  BUTTON: 2,
  STRING_SELECT: 3,
  TEXT_INPUT: 4,
  USER_SELECT: 5,
  ROLE_SELECT: 6,
  MENTIONABLE_SELECT: 7,
  CHANNEL_SELECT: 8,
  SECTION: 9,
  TEXT_DISPLAY: 10,
  THUMBNAIL: 11,
  MEDIA_GALLERY: 12,
  FILE: 13,
  SEPARATOR: 14,
  CONTAINER: 17,
  LABEL: 18,
  FILE_UPLOAD: 19,
  RADIO_GROUP: 21,
  CHECKBOX_GROUP: 22,
  CHECKBOX: 23,
} as const

const MAX_V2_COMPONENTS = 40
const MAX_V2_TEXT = 4000

const SELECTS: readonly number[] = [3, 5, 6, 7, 8]
const V2_TOP: readonly number[] = [1, 9, 10, 12, 13, 14, 17]
const IN_CONTAINER: readonly number[] = [1, 9, 10, 12, 13, 14]
const IN_LABEL: readonly number[] = [3, 4, 5, 6, 7, 8, 19, 21, 22, 23]

const id = nullable(whole(0, 2_147_483_647))
const customId = required(text({ min: 1, max: 100 }))
const emoji = object({ id: nullable(snowflake), name: nullable(text({ max: 100 })), animated: nullable(boolean) })

const mediaItem = object({ url: required(url(['http:', 'https:', 'attachment:'])) })

const selectOption = object({
  label: required(text({ min: 1, max: 100 })),
  value: required(text({ min: 1, max: 100 })),
  description: nullable(text({ max: 100 })),
  emoji: nullable(emoji),
  default: nullable(boolean),
})

const autoSelect = object({
  id,
  custom_id: customId,
  placeholder: nullable(text({ max: 150 })),
  min_values: nullable(whole(0, 25)),
  max_values: nullable(whole(1, 25)),
  disabled: nullable(boolean),
  required: nullable(boolean),
  default_values: nullable(
    list(object({ id: required(snowflake), type: required(oneOf(['user', 'role', 'channel'])) }), { max: 25 }),
  ),
  channel_types: nullable(list(whole(0, 16))),
})

const choiceOption = object({
  label: required(text({ min: 1, max: 100 })),
  value: required(text({ min: 1, max: 100 })),
  description: nullable(text({ max: 100 })),
  default: nullable(boolean),
})

const shapes: Record<number, Check> = {
  2: all(
    object({
      id,
      style: required(whole(1, 6)),
      label: nullable(text({ max: 80 })),
      custom_id: nullable(text({ min: 1, max: 100 })),
      url: nullable(all(text({ max: 512 }), url(['http:', 'https:', 'discord:']))),
      disabled: nullable(boolean),
      emoji: nullable(emoji),
      sku_id: nullable(snowflake),
    }),
    checkButton,
  ),
  3: all(
    object({
      id,
      custom_id: customId,
      placeholder: nullable(text({ max: 150 })),
      min_values: nullable(whole(0, 25)),
      max_values: nullable(whole(1, 25)),
      disabled: nullable(boolean),
      required: nullable(boolean),
      options: required(list(selectOption, { min: 1, max: 25 })),
    }),
    checkOptions,
  ),
  4: object({
    id,
    custom_id: customId,
    style: required(oneOf([1, 2])),
    label: nullable(text({ max: 45 })),
    min_length: nullable(whole(0, 4000)),
    max_length: nullable(whole(1, 4000)),
    required: nullable(boolean),
    value: nullable(text({ max: 4000 })),
    placeholder: nullable(text({ max: 100 })),
  }),
  5: autoSelect,
  6: autoSelect,
  7: autoSelect,
  8: autoSelect,
  10: object({ id, content: required(text({ min: 1, max: MAX_V2_TEXT })) }),
  11: object({ id, media: required(mediaItem), description: nullable(text({ max: 1024 })), spoiler: nullable(boolean) }),
  12: object({
    id,
    items: required(
      list(object({ media: required(mediaItem), description: nullable(text({ max: 1024 })), spoiler: nullable(boolean) }), {
        min: 1,
        max: 10,
      }),
    ),
  }),
  13: object({ id, file: required(object({ url: required(url(['attachment:'])) })), spoiler: nullable(boolean) }),
  14: object({ id, divider: nullable(boolean), spacing: nullable(oneOf([1, 2])) }),
  17: object({ id, accent_color: nullable(whole(0, 0xffffff)), spoiler: nullable(boolean) }),
  18: object({ id, label: required(text({ min: 1, max: 45 })), description: nullable(text({ max: 100 })) }),
  19: object({
    id,
    custom_id: customId,
    min_values: nullable(whole(0, 10)),
    max_values: nullable(whole(1, 10)),
    required: nullable(boolean),
  }),
  21: all(
    object({ id, custom_id: customId, required: nullable(boolean), options: required(list(choiceOption, { min: 2, max: 10 })) }),
    checkOptions,
  ),
  22: all(
    object({
      id,
      custom_id: customId,
      required: nullable(boolean),
      min_values: nullable(whole(0, 10)),
      max_values: nullable(whole(1, 10)),
      options: required(list(choiceOption, { min: 1, max: 10 })),
    }),
    checkOptions,
  ),
  23: object({ id, custom_id: customId, default: nullable(boolean) }),
}

function checkButton(value: unknown, at: Path, problems: Problem[]): void {
  const button = value as Wire
  const push = (field: string, code: string, message: string) => problems.push({ path: [...at, field], code, message })
  if (button.style === 5) {
    if (!button.url) push('url', 'BASE_TYPE_REQUIRED', 'This field is required')
    if (button.custom_id)
      push('custom_id', 'BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE', 'A custom id and url cannot both be specified')
  } else if (button.style === 6) {
    if (!button.sku_id) push('sku_id', 'BASE_TYPE_REQUIRED', 'This field is required')
  } else {
    if (!button.custom_id) push('custom_id', 'BASE_TYPE_REQUIRED', 'This field is required')
    if (button.url) push('url', 'BUTTON_COMPONENT_INVALID_STYLE', 'A url is only for link buttons')
  }
  const bare = !button.label && !button.emoji
  if (bare && button.style !== 6) push('label', 'BUTTON_COMPONENT_MISSING_LABEL_OR_EMOJI', 'A label or emoji is required')
}

function checkOptions(value: unknown, at: Path, problems: Problem[]): void {
  const { options, max_values, min_values } = value as { options?: unknown; max_values?: number; min_values?: number }
  if (!Array.isArray(options)) return
  const seen = new Set<unknown>()
  for (const [index, option] of (options as Wire[]).entries()) {
    if (seen.has(option?.value)) {
      problems.push({
        path: [...at, 'options', index, 'value'],
        code: 'SELECT_COMPONENT_OPTION_VALUE_DUPLICATED',
        message: 'The specified option value is already used',
      })
    }
    seen.add(option?.value)
  }
  if (typeof max_values === 'number' && max_values > options.length) {
    problems.push({
      path: [...at, 'max_values'],
      code: 'NUMBER_TYPE_MAX',
      message: `int value should be less than or equal to ${options.length}.`,
    })
  }
  if (typeof min_values === 'number' && typeof max_values === 'number' && min_values > max_values) {
    problems.push({
      path: [...at, 'min_values'],
      code: 'NUMBER_TYPE_MAX',
      message: `int value should be less than or equal to ${max_values}.`,
    })
  }
}

const typeProblem = (at: Path, allowed: readonly number[]): Problem => ({
  path: [...at, 'type'],
  code: 'UNION_TYPE_CHOICES',
  message: `Value of field "type" must be one of (${allowed.join(', ')}).`,
})

interface Walk {
  problems: Problem[]
  customIds: Set<string>
  ids: Set<number>
  count: number
  text: number
  v2: boolean
}

/** Checks one component and what it holds, adding its problems to the walk. */
function visit(value: unknown, at: Path, allowed: readonly number[], walk: Walk): void {
  const component = value as Wire
  const type = Number((component as { type?: unknown } | null)?.type)
  if (typeof value !== 'object' || value === null || !allowed.includes(type)) {
    walk.problems.push(typeProblem(at, allowed))
    return
  }
  walk.count += 1
  shapes[type]?.(component, at, walk.problems)
  noteIds(component, at, walk)
  if (type === Component.TEXT_DISPLAY && typeof component.content === 'string') walk.text += lengthOf(component.content)
  if (type === Component.ROW) visitRow(component, at, walk)
  if (type === Component.SECTION) {
    visitList(component.components, [...at, 'components'], [10], 1, 3, walk)
    if (component.accessory === undefined || component.accessory === null) {
      walk.problems.push({ path: [...at, 'accessory'], code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
    } else visit(component.accessory, [...at, 'accessory'], [2, 11], walk)
  }
  if (type === Component.CONTAINER) visitList(component.components, [...at, 'components'], IN_CONTAINER, 1, MAX_V2_COMPONENTS, walk)
  if (type === Component.LABEL) {
    if (component.component === undefined || component.component === null) {
      walk.problems.push({ path: [...at, 'component'], code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
    } else visit(component.component, [...at, 'component'], IN_LABEL, walk)
  }
}

function visitRow(row: Wire, at: Path, walk: Walk): void {
  visitList(row.components, [...at, 'components'], [2, ...SELECTS], 1, 5, walk)
  const children = Array.isArray(row.components) ? (row.components as Wire[]) : []
  const selects = children.filter((child) => SELECTS.includes(Number(child?.type))).length
  if (selects > 1 || (selects === 1 && children.length > 1)) {
    walk.problems.push({
      path: [...at, 'components'],
      code: 'COMPONENT_LAYOUT_WIDTH_EXCEEDED',
      message: 'The specified component exceeds the maximum width',
    })
  }
}

function visitList(value: unknown, at: Path, allowed: readonly number[], min: number, max: number, walk: Walk): void {
  if (value === undefined || value === null) {
    walk.problems.push({ path: at, code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
    return
  }
  list(() => {}, { min, max })(value, at, walk.problems)
  if (Array.isArray(value)) for (const [index, child] of value.entries()) visit(child, [...at, index], allowed, walk)
}

function noteIds(component: Wire, at: Path, walk: Walk): void {
  if (typeof component.custom_id === 'string') {
    if (walk.customIds.has(component.custom_id)) {
      walk.problems.push({
        path: [...at, 'custom_id'],
        code: 'COMPONENT_CUSTOM_ID_DUPLICATED',
        message: 'Component custom id cannot be duplicated',
      })
    }
    walk.customIds.add(component.custom_id)
  }
  if (typeof component.id === 'number' && component.id > 0) {
    if (walk.ids.has(component.id)) {
      walk.problems.push({ path: [...at, 'id'], code: 'COMPONENT_ID_DUPLICATED', message: 'Component id cannot be duplicated' })
    }
    walk.ids.add(component.id)
  }
}

/** Problems of a message's components, with paths below `at`. */
export function messageComponentProblems(value: unknown, v2: boolean, at: Path = ['components']): Problem[] {
  const walk: Walk = { problems: [], customIds: new Set(), ids: new Set(), count: 0, text: 0, v2 }
  if (!Array.isArray(value)) return [{ path: at, code: 'LIST_TYPE_CONVERT', message: 'Only iterables may be used in a ListType' }]
  list(() => {}, { max: v2 ? MAX_V2_COMPONENTS : 5 })(value, at, walk.problems)
  for (const [index, child] of value.entries()) visit(child, [...at, index], v2 ? V2_TOP : [1], walk)
  if (v2 && walk.count > MAX_V2_COMPONENTS) {
    walk.problems.push({
      path: at,
      code: 'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED',
      message: `The total number of components cannot exceed ${MAX_V2_COMPONENTS}`,
    })
  }
  if (v2 && walk.text > MAX_V2_TEXT) {
    walk.problems.push({
      path: at,
      code: 'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED',
      message: `Component displayable text size exceeds maximum size of ${MAX_V2_TEXT}`,
    })
  }
  return walk.problems
}

/** Checks a modal (`data` of callback type 9); throws 50035 with paths below `data`. */
export function checkModal(data: unknown): Wire {
  const problems: Problem[] = []
  object({ custom_id: customId, title: required(text({ min: 1, max: 45 })) })(data, ['data'], problems)
  const walk: Walk = { problems, customIds: new Set(), ids: new Set(), count: 0, text: 0, v2: false }
  const components = (data as Wire | null)?.components
  const at: Path = ['data', 'components']
  if (!Array.isArray(components)) problems.push({ path: at, code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
  else {
    list(() => {}, { min: 1, max: 5 })(components, at, problems)
    for (const [index, child] of components.entries()) {
      if ((child as Wire)?.type === Component.ROW) visitInputRow(child as Wire, [...at, index], walk)
      else visit(child, [...at, index], [1, 10, 18], walk)
    }
  }
  if (problems.length > 0) throw invalidForm(problems)
  return data as Wire
}

function visitInputRow(row: Wire, at: Path, walk: Walk): void {
  visitList(row.components, [...at, 'components'], [4], 1, 1, walk)
  for (const [index, input] of ((row.components as Wire[]) ?? []).entries()) {
    if (!input?.label) {
      walk.problems.push({
        path: [...at, 'components', index, 'label'],
        code: 'BASE_TYPE_REQUIRED',
        message: 'This field is required',
      })
    }
  }
}

// Short notices: what was done, and what went wrong.

import { update } from './store.js'

let toasts = 0
/**
 * A short notice that goes by itself.
 * @param {string} text
 * @param {'info' | 'error'} [kind]
 */
export function toast(text, kind = 'info') {
  toasts += 1
  const id = toasts
  update((s) => s.toasts.push({ id, text, kind }))
  setTimeout(() => update((s) => (s.toasts = s.toasts.filter((item) => item.id !== id))), 5000)
}

/** Does it; what went wrong is told in a short notice. @param {() => Promise<unknown>} action */
export async function attempt(action) {
  try {
    await action()
  } catch (error) {
    toast(reason(error), 'error')
  }
}

/** What went wrong, in words. @param {unknown} error */
export const reason = (error) => (error instanceof Error ? error.message : String(error))

const MAX_FILE_BYTES = 10 * 1024 * 1024

/**
 * The files that Discord would take; of one that is too large it says so.
 * @param {File[]} files
 */
export function smallEnough(files) {
  const large = files.find((file) => file.size > MAX_FILE_BYTES)
  if (large) toast(`${large.name} is larger than 10 MB.`, 'error')
  return files.filter((file) => file.size <= MAX_FILE_BYTES)
}

// Countries as people type them and read them: ISO 3166, two letters.
import { UserError } from './errors.ts'

/** Country codes separated by blanks, commas or semicolons: ISO 3166, in capital letters, sorted, each once. @throws UserError for one that is none, or without any */
export function readCountries(text: string): string[] {
  const codes = text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map((code) => code.toUpperCase())
  const wrong = codes.find((code) => !/^[A-Z]{2}$/.test(code) || countryNames.of(code) === undefined)
  if (wrong !== undefined || codes.length === 0)
    throw new UserError('unknown_country', `“${wrong ?? text}” is not a country code. Use two letters for each, such as DE, AT.`)
  return [...new Set(codes)].sort()
}

const countryNames = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })

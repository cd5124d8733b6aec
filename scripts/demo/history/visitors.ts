// Where the visitors of the recorded demo come from, as their computers tell: address, browser, the page before. The same for the same visitor.

/** The beginnings of addresses that providers in seven countries give to homes; the rest is made up, and kept by nobody as it is. */
const networks = ['73.', '73.', '99.234.', '86.140.', '84.150.', '77.165.', '1.140.'] as const

const browsers = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
] as const

const referers = ['https://www.google.com/', '', 'https://www.linkedin.com/', '', 'https://letters.example.org/issue'] as const

const pick = <T>(list: readonly T[], visitor: string, salt: number): T => list[hashOf(visitor, salt) % list.length]!

export const browserOf = (visitor: string): string => pick(browsers, visitor, 3)

/** The header that names the page before, if there was one. */
export function refererOf(visitor: string): { referer?: string } {
  const referer = pick(referers, visitor, 5)
  return referer === '' ? {} : { referer }
}

export function addressOf(visitor: string): string {
  const network = pick(networks, visitor, 11)
  const hash = hashOf(visitor, 7)
  const rest = [(hash >> 16) & 127, (hash >> 8) & 255, hash & 255 || 1]
  return `${network}${rest.slice(network.split('.').length - 2).join('.')}`
}

function hashOf(text: string, salt: number): number {
  let hash = salt
  for (const character of text) hash = (hash * 31 + character.charCodeAt(0)) % 16_777_213
  return hash
}

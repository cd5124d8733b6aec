// How wide text is when every letter has one width, as in a code block and nearly so in a picture: letters of East Asia and emoji take two. Pure.

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const signsOf = (text: string) => [...segmenter.segment(text)].map(({ segment }) => segment)

export function isWide(sign: string): boolean {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u.test(
    sign,
  )
}

const lettersOf = (sign: string) => (isWide(sign) ? 2 : 1)

export function widthInLetters(text: string): number {
  return signsOf(text).reduce((letters, sign) => letters + lettersOf(sign), 0)
}

/** Cut to at most so many letters, with an ellipsis where something was cut. */
export function fitted(text: string, letters: number): string {
  if (widthInLetters(text) <= letters) return text
  let kept = ''
  let room = letters - 1
  for (const sign of signsOf(text)) {
    room -= lettersOf(sign)
    if (room < 0) break
    kept += sign
  }
  return `${kept.trimEnd()}…`
}

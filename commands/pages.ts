// Text that is longer than a card, in pages that are turned with buttons.

/** The paragraphs in pages of at most `room` characters; a longer one has a page of its own. At least one page. */
export function pagesOf(paragraphs: readonly string[], room: number): string[][] {
  const pages: string[][] = [[]]
  let length = 0
  for (const paragraph of paragraphs) {
    length += paragraph.length
    if (length > room && pages.at(-1)!.length > 0) {
      pages.push([])
      length = paragraph.length
    }
    pages.at(-1)!.push(paragraph)
  }
  return pages
}

/** The page that a control asks for, or the one nearest to it; from 0. */
export function pageAsked(text: string, pages: number): number {
  return Math.min(Math.max(0, Math.trunc(Number(text)) || 0), pages - 1)
}

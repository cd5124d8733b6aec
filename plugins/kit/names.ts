// What a person's name may not hold. Pure.

/** A scheme, “www.”, or a dot of any script within a word, as in a host: mail programs make links of those. */
const webAddress = /:\/\/|\bwww[.。．｡]|[\p{L}\p{M}\p{N}-][.。．｡][\p{L}\p{M}]{2}/iu

/**
 * Whether something in the text looks like a web address. Names stand in mails of ours, also in such to people who did not ask for any: nobody may put a link
 * there. Initials and titles (“J. R. Müller, Ph.D.”) do not look like one, as long as a space stands after a dot before a word.
 */
export function holdsWebAddress(text: string): boolean {
  return webAddress.test(text)
}

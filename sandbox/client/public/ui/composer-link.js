// Lets a mention like </start:1>, or a step of the guide, put its command into the composer without either module knowing the other.

/** @type {((line: string) => void) | undefined} */
let writer

/** The composer says how a command gets into it. @param {((line: string) => void) | undefined} write */
export function onWriteCommand(write) {
  writer = write
}

/** Puts `/line` into the composer: a command's name, perhaps with options such as `days:0`. @param {string} line */
export function writeCommand(line) {
  writer?.(line)
}

// Lets a mention like </start:1> put its command into the composer without either module knowing the other.

/** @type {((name: string) => void) | undefined} */
let writer

/** The composer says how a command gets into it. @param {((name: string) => void) | undefined} write */
export function onWriteCommand(write) {
  writer = write
}

/** Puts `/name` into the composer. @param {string} name */
export function writeCommand(name) {
  writer?.(name)
}

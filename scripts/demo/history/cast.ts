// The people of the recorded demo. Every name is made up, and every address is of example.com, example.net or example.org, where nobody lives.

export interface Character {
  readonly username: string
  readonly name: string
  readonly email: string
  readonly industry: (typeof industries)[number]
}

const given = [
  ['Wanda', 'Otto', 'Petra', 'Basil', 'Clementine', 'Rufus', 'Tilda', 'Hugo', 'Marigold', 'Fergus', 'Odette', 'Linus'],
  ['Saffron', 'Barnaby', 'Ines', 'Caspian', 'Dorothea', 'Milo', 'Pippa', 'Leopold', 'Yara', 'Ansel', 'Beatrix', 'Corin'],
  ['Juniper', 'Alaric', 'Mabel', 'Teo', 'Rosalind', 'Ignatius', 'Noor', 'Emeric', 'Philippa', 'Kenji', 'Adelheid', 'Bruno'],
  ['Lucinda', 'Orson', 'Thea', 'Matteo', 'Winifred', 'Jasper', 'Amara', 'Cyril', 'Henrietta', 'Pavel', 'Ottilie', 'Ezra'],
  ['Florentine', 'Gideon', 'Selma', 'Anatole', 'Primrose', 'Silas', 'Zora', 'Benedikt', 'Cordelia', 'Ravi', 'Hedwig', 'Tobias'],
].flat()
const family = [
  ['Whistledown', 'Applebranch', 'Quillfeather', 'Thornbury', 'Marblewick', 'Pennyroyal', 'Oakenshaw', 'Brightwater'],
  ['Fernsby', 'Candlemoss', 'Halloway', 'Nettlefold', 'Silverthimble', 'Crabtree', 'Lanternhill', 'Wintergreen', 'Puddlewick'],
].flat()
const industries = ['saas', 'ecommerce', 'agencies', 'finance', 'healthcare', 'real-estate'] as const
const domains = ['example.com', 'example.net', 'example.org'] as const

/** The first `count` people, at most sixty; always the same. */
export function castOf(count: number): Character[] {
  return given.slice(0, count).map((first, i) => {
    const last = family[(i * 7) % family.length]!
    return {
      username: `${first}.${last}`.toLowerCase(),
      name: `${first} ${last}`,
      email: `${first}.${last}@${domains[i % domains.length]}`.toLowerCase(),
      industry: industries[(i * 5) % industries.length]!,
    }
  })
}

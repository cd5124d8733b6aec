// Other pages for some visitors of a link, by country and kind of device. Pure.

export const devices = ['desktop', 'mobile', 'tablet'] as const
export type Device = (typeof devices)[number]

/** Leads to `page` whoever comes from one of the countries with one of the devices; a list that is left out means all. */
export interface Target {
  /** ISO 3166, two capital letters. */
  readonly countries?: readonly string[]
  readonly devices?: readonly Device[]
  readonly page: string
}

/** Whether the target is meant for this visitor. Whose country is not known is in none. */
export function fits(target: Omit<Target, 'page'>, visitor: { country: string | null; device: Device }): boolean {
  const { countries, devices } = target
  return (
    (!countries || (visitor.country !== null && countries.includes(visitor.country))) &&
    (!devices || devices.includes(visitor.device))
  )
}

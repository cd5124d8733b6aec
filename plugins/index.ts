// The explicit, ordered list of the plugins that come with the house. A company's own plugins are added in siso.config.ts.
import type { Plugin } from './kit/plugin.ts'

export const plugins: readonly Plugin[] = []

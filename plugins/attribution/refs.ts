// The custom ids of attribution's controls.
import { componentRef } from '../../commands/customId.ts'

export const salesPage = componentRef('attribution.sales', ['page'])

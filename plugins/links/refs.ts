// The custom ids of the controls of links.
import { componentRef } from '../../commands/customId.ts'

export const linksPage = componentRef('links.page', ['page'])

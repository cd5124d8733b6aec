// The custom ids of the controls of links.
import { componentRef } from '../../commands/customId.ts'

export const linksPage = componentRef('links.page', ['page', 'search'])
export const openLink = componentRef('links.open', [])
export const pauseLink = componentRef('links.pause', ['link'])
export const resumeLink = componentRef('links.resume', ['link'])
export const linkQr = componentRef('links.qr', ['link'])
export const changeLink = componentRef('links.change', ['link'])
export const saveLink = componentRef('links.save', ['link'])
export const partnerLinksPage = componentRef('links.partner_page', ['partner', 'page'])
export const carryOutImport = componentRef('links.import', ['list'])
export const dropImport = componentRef('links.drop_import', ['list'])

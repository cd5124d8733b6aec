// The custom ids of the controls of fraud. `case` is the id of a case.
import { componentRef } from '../../commands/customId.ts'

export const clearButton = componentRef('fraud.clear', ['case'])
export const clearForm = componentRef('fraud.clear_reason', ['case'])
export const rejectButton = componentRef('fraud.reject', ['case'])
export const rejectForm = componentRef('fraud.reject_reason', ['case'])
export const appealForm = componentRef('fraud.appeal', ['case'])
export const queuePage = componentRef('fraud.queue', ['page'])
export const openCase = componentRef('fraud.open')

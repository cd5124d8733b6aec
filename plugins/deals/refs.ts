// The custom ids of the controls of deals. `form` is `submit`, or the id of the deal that is to be changed.
import { componentRef } from '../../commands/customId.ts'

export const openForm = componentRef('deals.open', ['form'])
export const submitForm = componentRef('deals.submit', ['form'])
export const dealsPage = componentRef('deals.page', ['page'])
export const reviewPage = componentRef('deals.review_page', ['status', 'page'])
export const acceptButton = componentRef('deals.accept', ['deal'])
export const rejectButton = componentRef('deals.reject', ['deal'])
export const sameMoney = componentRef('deals.same', ['deal', 'sale'])
export const otherMoney = componentRef('deals.other', ['deal', 'sale'])
/** `seen`: how many payments the admin was asked about. */
export const winAnyway = componentRef('deals.win', ['deal', 'amount', 'currency', 'seen'])
export const rejectForm = componentRef('deals.reject_reason', ['deal'])

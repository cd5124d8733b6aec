// Stripe's refusals: the error object with its type, code, parameter and HTTP status. It knows no resource.

type ErrorType = 'invalid_request_error' | 'card_error' | 'idempotency_error' | 'api_error'

interface ErrorDetails {
  type?: ErrorType
  code?: string
  param?: string
  decline_code?: string
  extra?: Record<string, unknown>
}

/** A refusal as Stripe words it; the server turns it into `{error: {…}}`. */
export class StripeRefusal extends Error {
  readonly status: number
  readonly details: ErrorDetails
  constructor(status: number, message: string, details: ErrorDetails = {}) {
    super(message)
    this.name = 'StripeRefusal'
    this.status = status
    this.details = details
  }
}

/** A 400 `invalid_request_error`. */
export function invalid(message: string, param?: string, code?: string): StripeRefusal {
  return new StripeRefusal(400, message, { ...(param ? { param } : {}), ...(code ? { code } : {}) })
}

/** A 404 `resource_missing`, such as "No such transfer: 'tr_1'". */
export function missing(noun: string, id: string, param = 'id', status = 404): StripeRefusal {
  return new StripeRefusal(status, `No such ${noun}: '${id}'`, { code: 'resource_missing', param })
}

/** A 402 `card_error`. */
export function cardError(
  message: string,
  code: string,
  declineCode: string | undefined,
  extra: Record<string, unknown>,
): StripeRefusal {
  return new StripeRefusal(402, message, { type: 'card_error', code, ...(declineCode ? { decline_code: declineCode } : {}), extra })
}

/** The body of an error response. */
export function errorBody(refusal: StripeRefusal, requestId: string, accountId: string) {
  const { type = 'invalid_request_error', code, param, decline_code, extra } = refusal.details
  return {
    error: {
      ...(code ? { code } : {}),
      ...(decline_code ? { decline_code } : {}),
      ...(code ? { doc_url: `https://docs.stripe.com/error-codes#${code.replaceAll('_', '-')}` } : {}),
      message: refusal.message,
      ...(param ? { param } : {}),
      ...extra,
      request_log_url: `https://dashboard.stripe.com/${accountId}/test/workbench/logs?object=${requestId}`,
      type,
    },
  }
}

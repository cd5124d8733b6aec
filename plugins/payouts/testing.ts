// Partners who are paid by hand, for tests. The house has the setting `payouts manual`.
import { controlsOf, type TestHouse } from '../../app/testing.ts'
import type { TestPartner } from '../commissions/testing.ts'

/** The partner chooses to be paid by hand and gives this reference, as they do on the page. */
export async function payByHand(house: TestHouse, partner: TestPartner, reference: string): Promise<void> {
  const [page] = controlsOf(await house.run('payout setup', { provider: 'manual' }, partner))
  await house.app.inject({
    method: 'POST',
    url: new URL(page!).pathname,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ reference }).toString(),
  })
}

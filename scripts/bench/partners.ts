// Active partners who have signed, with their links, written straight into the database: what the measurements start from.
import type { Connection } from '../../db/connect.ts'
import { newId } from '../../db/ids.ts'
import { bundledAgreement } from '../../plugins/agreements/documents.ts'
import { fold } from '../../plugins/links/codes.ts'

/** Makes the users partners of the program, each with `links` links; gives the links' codes. */
export async function seedPartners(
  { sql }: Pick<Connection, 'sql'>,
  programId: string,
  users: readonly string[],
  links: number,
): Promise<string[]> {
  const agreement = bundledAgreement()
  await sql`insert into agreements_texts (hash, text) values (${agreement.hash}, ${agreement.canonical}) on conflict do nothing`
  await sql`
    insert into agreements_versions (program_id, version, hash) values (${programId}, ${agreement.version}, ${agreement.hash})
    on conflict do nothing`
  const codes: string[] = []
  for (const [i, user] of users.entries()) {
    const partner = newId()
    await sql`
      insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
      values (${partner}, ${programId}, ${user}, ${`Partner ${i}`}, ${`p${i}@example.com`}, 'saas', 'active', now(), now())`
    await sql`
      insert into agreements_signatures (id, program_id, partner_id, user_id, version, document_versions, hash, typed_name, email, ip_hash, user_agent, pdf)
      values (${newId()}, ${programId}, ${partner}, ${user}, ${agreement.version}, '{}', ${agreement.hash}, ${`Partner ${i}`}, ${`p${i}@example.com`}, 'x', 'x', '')`
    const mine = Array.from({ length: links }, (_, k) => ({ id: newId(), code: `bench${i}n${k}` }))
    await sql.begin(async (tx) => {
      await tx`insert into links_links ${tx(mine.map(({ id, code }) => ({ id, program_id: programId, partner_id: partner, code })))}`
      await tx`insert into links_codes ${tx(mine.map(({ id, code }) => ({ folded: fold(code), program_id: programId, link_id: id })))}`
    })
    codes.push(...mine.map(({ code }) => code))
  }
  return codes
}

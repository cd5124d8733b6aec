-- Posting many transfers in one round trip, and queueing them for their seals by statement instead of row by row. Every guarantee stays where it is.

-- Posts transfers, each as ledger_post does; answers with a row for each key and the transfer that bears it.
-- p_transfers: [{id, key, body_hash, reason, subject_type, subject_id, corrects, entries: [{kind, partner, currency, amount}]}], entries in canonical order.
create function ledger_post_all(p_program uuid, p_posted_at timestamptz, p_transfers jsonb)
returns table (key text, transfer_id uuid, body_hash text, fresh boolean) language plpgsql as $$
#variable_conflict use_column
declare
  posted uuid[];
begin
  with added as (
    insert into ledger_transfers (id, program_id, key, body_hash, reason, subject_type, subject_id, corrects, posted_at)
    select t.id, p_program, t.key, t.body_hash, t.reason, t.subject_type, t.subject_id, t.corrects, p_posted_at
    from jsonb_to_recordset(p_transfers) as t (id uuid, key text, body_hash text, reason text, subject_type text, subject_id text, corrects uuid)
    on conflict (program_id, key) do nothing
    returning id)
  select coalesce(array_agg(id), '{}') into posted from added;

  insert into ledger_accounts (program_id, kind, partner_id, currency)
  select distinct p_program, e.kind, e.partner, e.currency
  from jsonb_to_recordset(p_transfers) as t (id uuid, entries jsonb), jsonb_to_recordset(t.entries) as e (kind text, partner uuid, currency text)
  where t.id = any(posted) and not exists (
    select from ledger_accounts a
    where a.program_id = p_program and a.owner_id = coalesce(e.partner, p_program) and a.kind = e.kind and a.currency = e.currency
  )
  order by 2, 3, 4
  on conflict do nothing;

  insert into ledger_entries (transfer_id, position, account_id, amount)
  select t.id, (e.position - 1)::smallint, a.id, (e.entry ->> 'amount')::bigint
  from jsonb_to_recordset(p_transfers) as t (id uuid, entries jsonb)
  cross join jsonb_array_elements(t.entries) with ordinality as e (entry, position)
  join ledger_accounts a on a.program_id = p_program and a.owner_id = coalesce((e.entry ->> 'partner')::uuid, p_program)
    and a.kind = e.entry ->> 'kind' and a.currency = e.entry ->> 'currency'
  where t.id = any(posted);

  return query select l.key, l.id, l.body_hash, l.id = any(posted)
    from ledger_transfers l where l.program_id = p_program and l.key in (select t.key from jsonb_to_recordset(p_transfers) as t (key text));
end $$;

create or replace function ledger_queue_for_sealing() returns trigger language plpgsql as $$
begin
  insert into ledger_unsealed (transfer_id, program_id) select id, program_id from fresh;
  return null;
end $$;
drop trigger ledger_transfers_unsealed on ledger_transfers;
create trigger ledger_transfers_unsealed after insert on ledger_transfers referencing new table as fresh
  for each statement execute function ledger_queue_for_sealing();

-- Posting finds its accounts and its transfers by their indexes, however many there are: of what comes as JSON or in a transition table the planner knows nothing,
-- and reads whole tables to join it. Every guarantee stays where it is.

create or replace function ledger_post_all(p_program uuid, p_posted_at timestamptz, p_transfers jsonb)
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
  select p_program, e.kind, e.partner, e.currency
  from (
    select distinct e.kind, e.partner, e.currency
    from jsonb_to_recordset(p_transfers) as t (id uuid, entries jsonb), jsonb_to_recordset(t.entries) as e (kind text, partner uuid, currency text)
    where t.id = any(posted)
  ) e
  where (
    select a.id from ledger_accounts a
    where a.program_id = p_program and a.owner_id = coalesce(e.partner, p_program) and a.kind = e.kind and a.currency = e.currency
  ) is null
  order by e.kind, e.partner, e.currency
  on conflict do nothing;

  insert into ledger_entries (transfer_id, position, account_id, amount)
  select t.id, (e.position - 1)::smallint, (
      select a.id from ledger_accounts a
      where a.program_id = p_program and a.owner_id = coalesce((e.entry ->> 'partner')::uuid, p_program)
        and a.kind = e.entry ->> 'kind' and a.currency = e.entry ->> 'currency'
    ), (e.entry ->> 'amount')::bigint
  from jsonb_to_recordset(p_transfers) as t (id uuid, entries jsonb)
  cross join jsonb_array_elements(t.entries) with ordinality as e (entry, position)
  where t.id = any(posted);

  return query select l.key, l.id, l.body_hash, l.id = any(posted)
    from (select distinct t.key from jsonb_to_recordset(p_transfers) as t (key text)) k
    cross join lateral (select one.* from ledger_transfers one where one.program_id = p_program and one.key = k.key offset 0) l;
end $$;

create or replace function ledger_book_entries() returns trigger language plpgsql as $$
declare
  late uuid;
  moved record;
begin
  select f.transfer_id into late from (select transfer_id, count(*) as added from fresh group by transfer_id) f
  where f.added <> (select count(*) from ledger_entries e where e.transfer_id = f.transfer_id) limit 1;
  if late is not null then
    raise exception 'entries of ledger transfer % were added in more than one statement', late using errcode = 'check_violation';
  end if;
  -- Sorted by account, so that two transfers over the same accounts cannot wait for each other. The stripe is the connection's: what runs at the same
  -- time runs on different connections, and one connection never waits for itself. (No upsert: it would check the change itself for being below zero.)
  for moved in
    select f.account_id, case when a.partner_id is null then pg_backend_pid() % 32 else 0 end as stripe,
      case when a.debit_normal then f.amount else -f.amount end as amount, a.partner_id is not null as limited
    from (select account_id, sum(amount) as amount from fresh group by account_id) f
    cross join lateral (select one.* from ledger_accounts one where one.id = f.account_id offset 0) a
    order by a.partner_id nulls last, f.account_id
  loop
    update ledger_balances b set amount = b.amount + moved.amount where b.account_id = moved.account_id and b.stripe = moved.stripe;
    if not found then
      insert into ledger_balances (account_id, stripe, amount, limited) values (moved.account_id, moved.stripe, 0, moved.limited) on conflict do nothing;
      update ledger_balances b set amount = b.amount + moved.amount where b.account_id = moved.account_id and b.stripe = moved.stripe;
    end if;
  end loop;
  return null;
end $$;

create or replace function ledger_assert_balanced(checked_transfer uuid) returns void language plpgsql as $$
declare
  problem text;
begin
  select case
      when coalesce(sum(of_currency.entries), 0) < 2 then 'has fewer than two entries'
      when bool_or(of_currency.foreign_account) then 'touches an account of another program'
      when bool_or(of_currency.amount <> 0) then 'does not sum to zero in every currency'
    end
  into problem
  from (
    select count(*) as entries, bool_or(a.program_id <> t.program_id) as foreign_account, sum(e.amount) as amount
    from ledger_entries e join ledger_accounts a on a.id = e.account_id join ledger_transfers t on t.id = e.transfer_id
    where e.transfer_id = checked_transfer
    group by a.currency
  ) of_currency;
  if problem is not null then
    raise exception 'ledger transfer % %', checked_transfer, problem using errcode = 'check_violation', constraint = 'ledger_transfers_balanced';
  end if;
end $$;

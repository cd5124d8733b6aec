-- The double-entry ledger. What must never happen is refused here, in the database: an unbalanced transfer, a changed or deleted row, a partner's
-- account below zero, one key with two contents, a balance that is not the sum of its entries.

create table ledger_accounts (
  id            bigint generated always as identity primary key,
  program_id    uuid not null references core_programs,
  kind          text not null check (kind in ('pending', 'held', 'payable', 'in_flight', 'paid', 'clawback_debt', 'commission_expense', 'cash', 'settled')),
  partner_id    uuid,
  currency      text not null check (currency ~ '^[A-Z]{3}$'),
  -- The partner, or the program itself: never null, so that an index finds the account.
  owner_id      uuid not null generated always as (coalesce(partner_id, program_id)) stored,
  debit_normal  boolean generated always as (kind in ('clawback_debt', 'commission_expense', 'cash', 'settled')) stored,
  -- Program accounts belong to no partner, all others to one.
  check ((partner_id is null) = (kind in ('commission_expense', 'cash', 'settled'))),
  unique (program_id, owner_id, kind, currency)
);

-- Natural sign: what the account has in its normal direction is positive. A partner's account has one row (stripe 0) and never goes below zero.
-- A program's account is spread over stripes that add up, because every sale of the program meets it and one row would make all sales queue.
create table ledger_balances (
  account_id  bigint not null references ledger_accounts,
  stripe      smallint not null,
  amount      bigint not null,
  limited     boolean not null,
  primary key (account_id, stripe),
  constraint ledger_balances_not_below_zero check (not limited or amount >= 0),
  check (not limited or stripe = 0)
) with (fillfactor = 50);

create table ledger_transfers (
  id            uuid primary key,
  program_id    uuid not null references core_programs,
  key           text not null check (length(key) between 1 and 200 and key !~ '[[:cntrl:]]'),
  -- SHA-256 of the canonical body, see ledger_bodies.
  body_hash     text not null check (body_hash ~ '^[0-9a-f]{64}$'),
  reason        text not null check (reason ~ '^[a-z][a-z_]{0,49}$'),
  subject_type  text not null check (subject_type ~ '^[a-z][a-z_]{0,49}$'),
  subject_id    text not null check (length(subject_id) between 1 and 200 and subject_id !~ '[[:cntrl:]]'),
  corrects      uuid references ledger_transfers,
  posted_at     timestamptz not null,
  unique (program_id, key)
);
create index ledger_transfers_subject on ledger_transfers (program_id, subject_type, subject_id);

create table ledger_entries (
  transfer_id  uuid not null references ledger_transfers,
  position     smallint not null check (position >= 0),
  account_id   bigint not null references ledger_accounts,
  -- Positive is a debit, negative a credit.
  amount       bigint not null check (amount <> 0),
  primary key (transfer_id, position)
);
create index ledger_entries_account on ledger_entries (account_id);

-- The hash chain lies beside the transfers: posting takes no lock that all of a program share; a sealing job gives each committed transfer its place
-- in the chain. Until then a transfer waits in ledger_unsealed.
create table ledger_unsealed (
  transfer_id  uuid primary key references ledger_transfers,
  program_id   uuid not null
);
create index ledger_unsealed_program on ledger_unsealed (program_id, transfer_id);

create table ledger_seals (
  program_id     uuid not null references core_programs,
  sequence       bigint not null check (sequence > 0),
  transfer_id    uuid not null unique references ledger_transfers,
  previous_hash  text not null,
  hash           text not null,
  primary key (program_id, sequence)
);

create table ledger_heads (
  program_id  uuid primary key references core_programs,
  sequence    bigint not null,
  hash        text not null
);

create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is refused: the ledger is never changed, a correction is a new transfer', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger ledger_transfers_immutable before update or delete or truncate on ledger_transfers execute function ledger_refuse_change();
create trigger ledger_entries_immutable before update or delete or truncate on ledger_entries execute function ledger_refuse_change();
create trigger ledger_seals_immutable before update or delete or truncate on ledger_seals execute function ledger_refuse_change();

create function ledger_digest(content text) returns text language sql immutable as $$
  select encode(sha256(convert_to(content, 'UTF8')), 'hex')
$$;

-- The canonical body of each transfer, over which idempotency and proof agree. Its parts can hold no control character, so the lines cannot be forged.
create view ledger_bodies as
  select t.id as transfer_id, t.program_id,
    t.reason || e'\n' || t.subject_type || e'\n' || t.subject_id || e'\n' || coalesce(t.corrects::text, '') || e'\n'
      || string_agg(a.kind || '|' || coalesce(a.partner_id::text, '') || '|' || a.currency || '|' || e.amount, e'\n' order by e.position) as body
  from ledger_transfers t join ledger_entries e on e.transfer_id = t.id join ledger_accounts a on a.id = e.account_id
  group by t.id;

-- What a link of the chain covers: its place, the link before it, and the whole transfer (its body by hash).
create function ledger_link(previous_hash text, sequence bigint, transfer ledger_transfers) returns text language sql stable as $$
  select ledger_digest(concat_ws(e'\n', previous_hash, sequence, transfer.program_id, transfer.id, transfer.key, transfer.body_hash,
    (extract(epoch from transfer.posted_at) * 1000000)::bigint))
$$;

create function ledger_assert_balanced(checked_transfer uuid) returns void language plpgsql as $$
declare
  problem text;
begin
  select case
      when count(*) < 2 then 'has fewer than two entries'
      when bool_or(a.program_id <> t.program_id) then 'touches an account of another program'
      when exists (
        select from ledger_entries e2 join ledger_accounts a2 on a2.id = e2.account_id
        where e2.transfer_id = checked_transfer group by a2.currency having sum(e2.amount) <> 0
      ) then 'does not sum to zero in every currency'
    end
  into problem
  from ledger_entries e join ledger_accounts a on a.id = e.account_id join ledger_transfers t on t.id = e.transfer_id
  where e.transfer_id = checked_transfer;
  if problem is not null then
    raise exception 'ledger transfer % %', checked_transfer, problem using errcode = 'check_violation', constraint = 'ledger_transfers_balanced';
  end if;
end $$;

create function ledger_check_transfer() returns trigger language plpgsql as $$
begin
  perform ledger_assert_balanced(new.id);
  return null;
end $$;
create constraint trigger ledger_transfers_balanced after insert on ledger_transfers
  deferrable initially deferred for each row execute function ledger_check_transfer();

create function ledger_queue_for_sealing() returns trigger language plpgsql as $$
begin
  insert into ledger_unsealed (transfer_id, program_id) values (new.id, new.program_id);
  return null;
end $$;
create trigger ledger_transfers_unsealed after insert on ledger_transfers for each row execute function ledger_queue_for_sealing();

-- Entries come with their transfer, all in one statement, and move the balances with them: nothing can be added to a transfer later.
create function ledger_book_entries() returns trigger language plpgsql as $$
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
    select a.id as account_id, case when a.partner_id is null then pg_backend_pid() % 32 else 0 end as stripe,
      sum(case when a.debit_normal then f.amount else -f.amount end) as amount, a.partner_id is not null as limited
    from fresh f join ledger_accounts a on a.id = f.account_id
    group by a.id order by a.partner_id nulls last, a.id
  loop
    update ledger_balances b set amount = b.amount + moved.amount where b.account_id = moved.account_id and b.stripe = moved.stripe;
    if not found then
      insert into ledger_balances (account_id, stripe, amount, limited) values (moved.account_id, moved.stripe, 0, moved.limited) on conflict do nothing;
      update ledger_balances b set amount = b.amount + moved.amount where b.account_id = moved.account_id and b.stripe = moved.stripe;
    end if;
  end loop;
  return null;
end $$;
create trigger ledger_entries_booked after insert on ledger_entries referencing new table as fresh
  for each statement execute function ledger_book_entries();

-- Posts one transfer in one round trip; with a key that was used before it changes nothing and returns the first transfer.
-- p_entries: [{kind, partner, currency, amount}] in canonical order.
create function ledger_post(p_program uuid, p_id uuid, p_key text, p_body_hash text, p_reason text, p_subject_type text, p_subject_id text,
  p_corrects uuid, p_posted_at timestamptz, p_entries jsonb)
returns table (transfer_id uuid, body_hash text, fresh boolean) language plpgsql as $$
#variable_conflict use_column
begin
  insert into ledger_transfers (id, program_id, key, body_hash, reason, subject_type, subject_id, corrects, posted_at)
  values (p_id, p_program, p_key, p_body_hash, p_reason, p_subject_type, p_subject_id, p_corrects, p_posted_at)
  on conflict (program_id, key) do nothing;
  if not found then
    return query select t.id, t.body_hash, false from ledger_transfers t where t.program_id = p_program and t.key = p_key;
    return;
  end if;
  insert into ledger_accounts (program_id, kind, partner_id, currency)
  select distinct p_program, e.kind, e.partner, e.currency
  from jsonb_to_recordset(p_entries) as e (kind text, partner uuid, currency text)
  where not exists (
    select from ledger_accounts a
    where a.program_id = p_program and a.owner_id = coalesce(e.partner, p_program) and a.kind = e.kind and a.currency = e.currency
  )
  order by 2, 3, 4
  on conflict do nothing;
  insert into ledger_entries (transfer_id, position, account_id, amount)
  select p_id, (e.position - 1)::smallint, a.id, (e.entry ->> 'amount')::bigint
  from jsonb_array_elements(p_entries) with ordinality as e (entry, position)
  join ledger_accounts a on a.program_id = p_program and a.owner_id = coalesce((e.entry ->> 'partner')::uuid, p_program)
    and a.kind = e.entry ->> 'kind' and a.currency = e.entry ->> 'currency';
  return query select p_id, p_body_hash, true;
end $$;

-- Gives up to p_limit waiting transfers of the program their place in the chain; returns how many. Only sealers of one program wait for each other.
create function ledger_seal(p_program uuid, p_limit integer) returns integer language plpgsql as $$
declare
  head ledger_heads;
  waiting ledger_transfers;
  link text;
  sealed integer := 0;
begin
  insert into ledger_heads (program_id, sequence, hash) values (p_program, 0, repeat('0', 64)) on conflict do nothing;
  select * into head from ledger_heads h where h.program_id = p_program for update;
  for waiting in
    select t.* from ledger_unsealed u join ledger_transfers t on t.id = u.transfer_id
    where u.program_id = p_program order by u.transfer_id limit p_limit
  loop
    link := ledger_link(head.hash, head.sequence + 1, waiting);
    insert into ledger_seals (program_id, sequence, transfer_id, previous_hash, hash)
    values (p_program, head.sequence + 1, waiting.id, head.hash, link);
    delete from ledger_unsealed u where u.transfer_id = waiting.id;
    head.sequence := head.sequence + 1;
    head.hash := link;
    sealed := sealed + 1;
  end loop;
  update ledger_heads h set sequence = head.sequence, hash = head.hash where h.program_id = p_program;
  return sealed;
end $$;

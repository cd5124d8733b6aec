-- Sales that partners claim afterwards, and changes of whose a sale is that one admin proposes and another approves.

create table claims_claims (
  id             uuid primary key,
  program_id     uuid not null references core_programs,
  partner_id     uuid not null,
  user_id        text not null,
  -- The day of the purchase, as the partner knows it, in the program's time zone.
  paid_from      timestamptz not null,
  paid_to        timestamptz not null,
  -- What else they know of it; of the customer's address only the keyed hash.
  reference      text check (length(reference) between 1 and 200),
  email_hash     text,
  gross          bigint check (gross > 0),
  currency       text check (currency ~ '^[A-Z]{3}$'),
  story          text not null check (length(story) between 10 and 1500),
  evidence       bytea check (length(evidence) <= 1000000),
  evidence_name  text check (length(evidence_name) between 1 and 200),
  filed_at       timestamptz not null,
  -- waiting: an admin agrees, and a second one is to approve, because the sale is another partner's.
  state          text not null check (state in ('open', 'waiting', 'approved', 'declined')),
  sale_id        uuid,
  decided_by     text check (decided_by <> ''),
  decided_at     timestamptz,
  reason         text check (length(reason) between 3 and 500),
  unique (program_id, id),
  check (paid_from < paid_to),
  check ((gross is null) = (currency is null)),
  check ((evidence is null) = (evidence_name is null)),
  check (reference is not null or email_hash is not null or gross is not null),
  check ((state in ('approved', 'declined')) = (decided_at is not null)),
  check (state not in ('waiting', 'approved') or sale_id is not null)
);
create index claims_claims_open on claims_claims (program_id, filed_at, id) where state in ('open', 'waiting');
create index claims_claims_partner on claims_claims (program_id, partner_id, filed_at);
create index claims_claims_user on claims_claims (program_id, user_id);

create table claims_overrides (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  sale_id      uuid not null,
  from_id      uuid,
  -- Null: to nobody.
  to_id        uuid,
  reason       text not null check (length(reason) between 3 and 500),
  claim_id     uuid,
  proposed_by  text not null check (proposed_by <> ''),
  proposed_at  timestamptz not null,
  state        text not null check (state in ('open', 'approved', 'declined', 'outdated')),
  decided_by   text check (decided_by <> ''),
  decided_at   timestamptz,
  foreign key (program_id, claim_id) references claims_claims (program_id, id),
  check (from_id is distinct from to_id),
  check ((state = 'open') = (decided_at is null)),
  -- Nobody approves what they proposed.
  check (state <> 'approved' or (decided_by is not null and decided_by <> proposed_by))
);
create unique index claims_overrides_open on claims_overrides (program_id, sale_id) where state = 'open';
create index claims_overrides_newest on claims_overrides (program_id, proposed_at desc);

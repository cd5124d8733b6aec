-- Fraud: what was seen about a commission and what an admin decided, who is allowed what, and partners' addresses as keyed hashes.

create table fraud_cases (
  id               uuid primary key,
  program_id       uuid not null references core_programs,
  commission_id    uuid not null,
  sale_id          uuid not null,
  partner_id       uuid not null,
  user_id          text not null,
  amount           bigint not null,
  currency         text not null check (currency ~ '^[A-Z]{3}$'),
  score            integer not null check (score > 0),
  threshold        integer not null,
  strongest        text not null,
  -- Each signal with its weight and evidence, as they were then.
  findings         jsonb not null check (jsonb_typeof(findings) = 'array'),
  state            text not null check (state in ('noted', 'open', 'cleared', 'rejected')),
  held             boolean not null,
  opened_at        timestamptz not null,
  appeal           text check (length(appeal) between 1 and 2000),
  appealed_at      timestamptz,
  decided_by       text check (decided_by <> ''),
  decided_at       timestamptz,
  decision_reason  text check (length(decision_reason) between 3 and 500),
  -- A commission is judged once.
  unique (program_id, commission_id),
  check (state <> 'open' or score >= threshold),
  check (not (held and state = 'noted')),
  -- Nothing is decided without somebody and a reason.
  check ((state in ('cleared', 'rejected')) = (decided_by is not null)),
  check ((decided_by is null) = (decided_at is null) and (decided_by is null) = (decision_reason is null)),
  check (appeal is null or (appealed_at is not null and state <> 'noted'))
);
create index fraud_cases_open on fraud_cases (program_id, opened_at, id) where state = 'open';
create index fraud_cases_partner on fraud_cases (program_id, partner_id, opened_at);
create index fraud_cases_user on fraud_cases (program_id, user_id);

create table fraud_allowances (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  other_id    uuid,
  reason      text not null check (length(reason) between 3 and 500),
  allowed_by  text not null,
  allowed_at  timestamptz not null,
  -- A pair is stored once, whichever was named first.
  check (partner_id < other_id),
  unique nulls not distinct (program_id, partner_id, other_id)
);
create index fraud_allowances_other on fraud_allowances (program_id, other_id) where other_id is not null;

create table fraud_addresses (
  program_id     uuid not null references core_programs,
  partner_id     uuid not null,
  user_id        text not null,
  address        text not null,
  mailbox        text not null,
  first_seen_at  timestamptz not null,
  primary key (program_id, partner_id, address)
);
create index fraud_addresses_mailbox on fraud_addresses (program_id, mailbox);
create index fraud_addresses_user on fraud_addresses (program_id, user_id);

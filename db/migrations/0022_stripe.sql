-- What Stripe tells, kept as facts about its objects so that the order of events does not matter, and the account that each program is paid through.

create table stripe_accounts (
  program_id    uuid primary key references core_programs,
  account_id    text not null unique check (account_id ~ '^acct_'),
  name          text not null,
  connected_at  timestamptz not null default now()
);

-- The newest that is known of each object, in the few fields that are needed. No e-mail address: only its keyed hash.
create table stripe_facts (
  program_id       uuid not null references core_programs,
  object_id        text not null,
  type             text not null check (type in ('payment_intent', 'charge', 'refund', 'dispute', 'session', 'invoice', 'invoice_payment', 'transfer', 'account')),
  payment_key      text,
  invoice_id       text,
  subscription_id  text,
  fields           jsonb not null,
  -- An event replaces what is known when it is newer: by Stripe's second, then by how far the object had come, then by its id.
  event_created    bigint not null,
  rank             bigint not null,
  event_id         text collate "C" not null,
  primary key (program_id, object_id)
);
create index stripe_facts_payment on stripe_facts (program_id, payment_key) where payment_key is not null;
create index stripe_facts_invoice on stripe_facts (program_id, invoice_id) where invoice_id is not null;
create index stripe_facts_subscription on stripe_facts (program_id, subscription_id) where subscription_id is not null;

create table stripe_payments (
  program_id   uuid not null references core_programs,
  payment_key  text not null,
  -- When Stripe was asked what belongs to the payment, because its events did not tell.
  asked_at     timestamptz,
  sale_id      uuid,
  primary key (program_id, payment_key)
);

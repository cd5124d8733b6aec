-- Payouts: where partners are paid, what each payout covers, and how far it got. A commission is in one live payout at most.

create table payouts_methods (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  partner_id   uuid not null,
  provider     text not null,
  account      text not null check (length(account) between 1 and 200),
  -- The one that payouts go to.
  chosen       boolean not null,
  ready        boolean not null,
  missing      text not null,
  verified_at  timestamptz,
  -- Since when account and readiness are what they are: payouts wait some time after a change.
  changed_at   timestamptz not null,
  created_at   timestamptz not null,
  unique (program_id, partner_id, provider)
);
create unique index payouts_methods_chosen on payouts_methods (program_id, partner_id) where chosen;
create index payouts_methods_account on payouts_methods (provider, account);

-- Who asked for payouts, and when: the approval above a threshold must come from someone else.
create table payouts_runs (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  actor       text not null,
  started_at  timestamptz not null
);

create table payouts_payouts (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  run_id       uuid not null references payouts_runs,
  partner_id   uuid not null,
  currency     text not null check (currency ~ '^[A-Z]{3}$'),
  amount       bigint not null check (amount > 0),
  provider     text not null,
  destination  text not null,
  state        text not null check (state in ('awaiting_approval', 'queued', 'sent', 'paid', 'returned', 'refused')),
  -- The provider's id of the transfer, once it is known.
  provider_id  text,
  -- Counted before each try, so that any later try knows that there may be a transfer already.
  attempts     integer not null default 0,
  next_try_at  timestamptz not null,
  -- Why it waits, or why it came back, in words for an admin.
  note         text,
  approved_by  text,
  prepared_at  timestamptz not null,
  sent_at      timestamptz,
  settled_at   timestamptz,
  check (state not in ('sent', 'paid', 'returned') or provider_id is not null),
  unique (provider, provider_id)
);
create index payouts_newest on payouts_payouts (program_id, prepared_at desc);
create index payouts_of_partner on payouts_payouts (program_id, partner_id, prepared_at desc);
create index payouts_to_send on payouts_payouts (next_try_at) where state = 'queued';

create table payouts_items (
  payout_id      uuid not null references payouts_payouts,
  commission_id  uuid not null,
  program_id     uuid not null references core_programs,
  amount         bigint not null check (amount > 0),
  -- Set when the payout came back: the commission may then be in another one.
  released_at    timestamptz,
  primary key (payout_id, commission_id)
);
create unique index payouts_items_once on payouts_items (commission_id) where released_at is null;

-- News about transfers that are not known yet: a provider may confirm before its answer to our request is recorded.
create table payouts_early_news (
  id           bigint generated always as identity primary key,
  provider     text not null,
  provider_id  text not null,
  outcome      text not null check (outcome in ('paid', 'returned')),
  detail       text not null,
  received_at  timestamptz not null,
  unique (provider, provider_id, outcome)
);
create index payouts_early_news_age on payouts_early_news (received_at);

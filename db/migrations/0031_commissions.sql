-- Commissions: the rules as they were, what each sale earned, and every change of it. Amounts are what the ledger says; the nightly proof compares.

-- Rules are never changed: another rate is another version.
create table commissions_rules (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  scope       text not null check (scope in ('program', 'product', 'tier', 'partner')),
  -- Which product, tier or partner; null for the program's own rule.
  subject     text,
  version     integer not null check (version > 0),
  rate_ppm    bigint not null check (rate_ppm between 0 and 1000000),
  created_at  timestamptz not null,
  check ((subject is null) = (scope = 'program')),
  unique nulls not distinct (program_id, scope, subject, version)
);

create table commissions_commissions (
  id            uuid primary key,
  program_id    uuid not null references core_programs,
  sale_id       uuid not null,
  -- 0 is what the sale earned at first. A refund that is reversed after part 0 was paid makes a part of its own, because a payout is never reopened.
  part          smallint not null check (part >= 0),
  partner_id    uuid not null,
  currency      text not null check (currency ~ '^[A-Z]{3}$'),
  -- The stamp: never changed by a later rule.
  rule_id       uuid not null references commissions_rules,
  rule_version  integer not null,
  rate_ppm      bigint not null,
  basis         bigint not null,
  hold_until    timestamptz not null,
  earned_at     timestamptz not null,
  -- What it is worth now, and how that stands in the books: due lies in the account of its state, clawed was turned into debt after a payout,
  -- repaid went to a debt instead of to the partner.
  amount        bigint not null check (amount >= 0),
  due           bigint not null check (due >= 0),
  clawed        bigint not null check (clawed >= 0),
  repaid        bigint not null check (repaid >= 0),
  state         text not null check (state in ('pending', 'held', 'payable', 'in_payout', 'paid', 'rejected', 'voided')),
  reason        text,
  -- How many ledger transfers were posted for it: part of their keys.
  revision      integer not null default 0,
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  unique (program_id, sale_id, part),
  check (due = amount + clawed - repaid),
  check (due = 0 or state not in ('rejected', 'voided'))
);
create index commissions_of_partner on commissions_commissions (program_id, partner_id, created_at);
create index commissions_to_release on commissions_commissions (hold_until) where state = 'pending';
create index commissions_payable on commissions_commissions (program_id, partner_id, currency) where state = 'payable';
create index commissions_held on commissions_commissions (program_id, partner_id) where state = 'held';

-- What happened to each commission, when and why: for statements, and for a partner who asks.
create table commissions_changes (
  id             bigint generated always as identity primary key,
  program_id     uuid not null references core_programs,
  commission_id  uuid not null references commissions_commissions,
  at             timestamptz not null,
  state          text not null,
  reason         text,
  -- By how much its worth changed.
  change         bigint not null,
  hold_until     timestamptz not null,
  -- Discord id of the admin, null for the program itself.
  actor          text,
  note           text
);
create index commissions_changes_of on commissions_changes (commission_id, id);

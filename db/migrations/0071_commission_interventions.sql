-- What people decide about single commissions: holds beside the automatic ones, adjustments and voids; and which monthly statements were sent.

-- A sale's commission is held while any hold of it is not lifted.
create table commissions_holds (
  id          bigint generated always as identity primary key,
  program_id  uuid not null references core_programs,
  sale_id     uuid not null,
  reason      text not null check (reason ~ '^[a-z][a-z0-9_]{0,49}$'),
  placed_at   timestamptz not null,
  lifted_at   timestamptz
);
create unique index commissions_holds_open on commissions_holds (program_id, sale_id, reason) where lifted_at is null;

create table commissions_interventions (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  sale_id     uuid not null,
  kind        text not null check (kind in ('adjust', 'void')),
  -- Added to the worth of the commission; zero for a void, after which it is worth nothing.
  amount      bigint not null,
  reason      text not null check (reason ~ '^[a-z][a-z0-9_]{0,49}$'),
  note        text not null,
  actor       text not null,
  at          timestamptz not null,
  check ((kind = 'void') = (amount = 0))
);
create index commissions_interventions_of on commissions_interventions (program_id, sale_id);
create unique index commissions_interventions_void on commissions_interventions (program_id, sale_id) where kind = 'void';

create table commissions_statements (
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  month       text not null check (month ~ '^\d{4}-\d{2}$'),
  sent_at     timestamptz not null,
  primary key (program_id, partner_id, month)
);

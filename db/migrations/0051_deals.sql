-- Prospects that partners registered before they bought, how far each is, and who protects which prospect.

create table deals_deals (
  id               uuid primary key,
  program_id       uuid not null references core_programs,
  partner_id       uuid not null,
  user_id          text not null,
  company          text not null check (length(company) between 1 and 100),
  -- Null once the deal has been over for a while: then only the keyed hash is left.
  contact_email    text check (length(contact_email) between 3 and 254),
  email_hash       text not null,
  -- Null for addresses of mail services that many companies share.
  domain           text,
  expected         bigint not null check (expected > 0),
  currency         text not null check (currency ~ '^[A-Z]{3}$'),
  notes            text not null default '' check (length(notes) <= 1000),
  status           text not null check (status in ('submitted', 'accepted', 'won', 'lost', 'rejected', 'expired')),
  -- Why it was rejected or lost.
  reason           text check (length(reason) between 1 and 500),
  submitted_at     timestamptz not null default now(),
  protected_until  timestamptz not null,
  accepted_at      timestamptz,
  -- When it was won, lost, rejected or expired.
  closed_at        timestamptz,
  won_amount       bigint check (won_amount > 0),
  won_currency     text check (won_currency ~ '^[A-Z]{3}$'),
  sale_id          uuid,
  unique (program_id, id),
  check (protected_until > submitted_at),
  check ((status in ('submitted', 'accepted')) = (closed_at is null)),
  check (status not in ('accepted', 'won') or accepted_at is not null),
  check (status <> 'rejected' or reason is not null),
  check ((status = 'won') = (sale_id is not null and won_amount is not null and won_currency is not null))
);
create index deals_deals_partner on deals_deals (program_id, partner_id, submitted_at desc);
create index deals_deals_user on deals_deals (program_id, user_id);
create index deals_deals_status on deals_deals (program_id, status, submitted_at desc);
create index deals_deals_email on deals_deals (program_id, email_hash) where accepted_at is not null;
create index deals_deals_due on deals_deals (program_id, protected_until) where closed_at is null;
create index deals_deals_contact on deals_deals (program_id, closed_at) where contact_email is not null;

-- A prospect is protected for one deal at a time: one row for each thing that tells who the prospect is. After `until` anyone may take it over.
create table deals_claims (
  program_id  uuid not null,
  kind        text not null check (kind in ('company', 'domain', 'email')),
  value       text not null check (length(value) between 1 and 300),
  deal_id     uuid not null,
  until       timestamptz not null,
  primary key (program_id, kind, value),
  foreign key (program_id, deal_id) references deals_deals (program_id, id)
);
create index deals_claims_deal on deals_claims (program_id, deal_id);

-- What was last typed into a form that was refused; form is "submit", or the id of the deal that was to be changed.
create table deals_drafts (
  program_id  uuid not null references core_programs,
  user_id     text not null,
  form        text not null,
  typed       jsonb not null,
  updated_at  timestamptz not null default now(),
  primary key (program_id, user_id, form)
);
create index deals_drafts_age on deals_drafts (program_id, updated_at);

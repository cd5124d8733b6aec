-- Leads, payments and refunds that the company's own programs report through the public API.

create table tracking_leads (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  external_id  text check (length(external_id) between 1 and 255),
  -- A keyed hash; the address itself is not kept.
  email_hash   text,
  click_id     uuid,
  coupon       text check (length(coupon) between 1 and 100),
  partner_id   uuid,
  -- What won: a click, a coupon, a deal, or the customer's binding, with its time.
  won_kind     text check (won_kind in ('click', 'coupon', 'deal', 'binding')),
  won_by       text,
  won_at       timestamptz,
  -- Of a click: the link, campaign and so on that it came from.
  origin       jsonb,
  metadata     jsonb not null default '{}',
  occurred_at  timestamptz not null,
  recorded_at  timestamptz not null default now(),
  unique (program_id, id),
  unique (program_id, external_id),
  check (external_id is not null or email_hash is not null),
  check ((partner_id is null) = (won_kind is null) and (won_kind is null) = (won_by is null) and (won_kind is null) = (won_at is null))
);
create index tracking_leads_email on tracking_leads (program_id, email_hash) where email_hash is not null;
create index tracking_leads_time on tracking_leads (program_id, occurred_at);

-- What a payment was reported as: a later refund is told to attribution together with it.
create table tracking_payments (
  program_id     uuid not null references core_programs,
  payment_id     text not null check (length(payment_id) between 1 and 255),
  sale_id        uuid not null,
  gross          bigint not null check (gross > 0),
  tax            bigint not null check (tax >= 0),
  shipping       bigint not null check (shipping >= 0),
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  customer_key   text not null,
  email_hash     text,
  country        text,
  click_id       uuid,
  coupon         text,
  product        text,
  subscription   text,
  sequence       integer,
  paid_at        timestamptz not null,
  recorded_at    timestamptz not null default now(),
  primary key (program_id, payment_id),
  unique (program_id, sale_id)
);

-- A payment's refunds are told either one by one (refund_id) or as the total so far; the newest total counts.
create table tracking_refunds (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  payment_id   text not null check (length(payment_id) between 1 and 255),
  refund_id    text check (length(refund_id) between 1 and 255),
  amount       bigint not null check (amount >= 0),
  currency     text check (currency ~ '^[A-Z]{3}$'),
  -- The refund itself failed or was taken back: it counts no more.
  reversed     boolean not null default false,
  -- Parked: its sale is not known yet, or it does not fit the sale (`problem`).
  state        text not null check (state in ('applied', 'parked')),
  problem      text check (state = 'parked' or problem is null),
  refunded_at  timestamptz not null,
  recorded_at  timestamptz not null default now(),
  unique (program_id, id),
  unique (program_id, payment_id, refund_id)
);
create index tracking_refunds_payment on tracking_refunds (program_id, payment_id);
create index tracking_refunds_parked on tracking_refunds (program_id, recorded_at) where state = 'parked';

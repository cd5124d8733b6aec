-- Whose sale is it: customers, sales, the binding of a customer to a partner, and every decision with its trace.

create table attribution_customers (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  country     text check (country ~ '^[A-Z]{2}$'),
  created_at  timestamptz not null default now(),
  unique (program_id, id)
);

-- Under which names a customer is known: the provider's key, or the keyed hash of an e-mail address (kind 'email').
create table attribution_identities (
  program_id   uuid not null,
  kind         text not null,
  value        text not null check (length(value) between 1 and 255),
  customer_id  uuid not null,
  primary key (program_id, kind, value),
  foreign key (program_id, customer_id) references attribution_customers (program_id, id)
);
create index attribution_identities_customer on attribution_identities (program_id, customer_id);

create table attribution_sales (
  id                 uuid primary key,
  program_id         uuid not null,
  provider           text not null,
  payment_key        text not null,
  customer_id        uuid not null,
  partner_id         uuid,
  currency           text not null check (currency ~ '^[A-Z]{3}$'),
  gross              bigint not null check (gross > 0),
  tax                bigint not null check (tax >= 0),
  shipping           bigint not null check (shipping >= 0),
  refunded           bigint not null default 0 check (refunded >= 0),
  dispute            text not null default 'none' check (dispute in ('none', 'open', 'won', 'lost')),
  product            text,
  subscription       text,
  sequence           integer check (sequence >= 1),
  first_of_customer  boolean not null,
  -- What pointed to a partner when the sale was last decided; something new lets an unattributed sale be decided again.
  hints              jsonb not null default '{}',
  paid_at            timestamptz not null,
  recorded_at        timestamptz not null default now(),
  unique (program_id, id),
  unique (program_id, provider, payment_key),
  check (tax + shipping <= gross),
  check (refunded <= gross),
  check ((subscription is null) = (sequence is null)),
  foreign key (program_id, customer_id) references attribution_customers (program_id, id)
);
create index attribution_sales_attributed on attribution_sales (program_id, paid_at) where partner_id is not null;
create index attribution_sales_partner on attribution_sales (program_id, partner_id, paid_at);
create index attribution_sales_customer on attribution_sales (program_id, customer_id);
create index attribution_sales_recent on attribution_sales (program_id, recorded_at);

-- Rows are only added: the newest of a sale is the one in force.
create table attribution_decisions (
  id            uuid primary key,
  program_id    uuid not null,
  sale_id       uuid not null,
  number        integer not null check (number >= 1),
  partner_id    uuid,
  rule_version  text not null,
  trace         jsonb not null,
  decided_at    timestamptz not null default now(),
  unique (program_id, sale_id, number),
  foreign key (program_id, sale_id) references attribution_sales (program_id, id)
);

-- A customer is bound once per program.
create table attribution_bindings (
  program_id   uuid not null,
  customer_id  uuid not null,
  partner_id   uuid not null,
  sale_id      uuid not null,
  decision_id  uuid not null references attribution_decisions,
  bound_at     timestamptz not null,
  primary key (program_id, customer_id),
  foreign key (program_id, customer_id) references attribution_customers (program_id, id),
  foreign key (program_id, sale_id) references attribution_sales (program_id, id)
);
create index attribution_bindings_partner on attribution_bindings (program_id, partner_id);

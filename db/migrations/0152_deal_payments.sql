-- Payments that a provider reported of a deal: so that the money of a deal is one sale, however many people tell of it.

create table deals_payments (
  program_id  uuid not null,
  sale_id     uuid not null,
  deal_id     uuid not null,
  -- named: the payment names the deal; contact: it was made by the deal's contact, and a person says whether it is the deal's money.
  how         text not null check (how in ('named', 'contact')),
  state       text not null check (state in ('open', 'counted', 'other')),
  amount      bigint not null check (amount > 0),
  currency    text not null check (currency ~ '^[A-Z]{3}$'),
  paid_at     timestamptz not null,
  decided_by  text,
  primary key (program_id, sale_id),
  foreign key (program_id, deal_id) references deals_deals (program_id, id),
  check (how = 'contact' or state = 'counted')
);
create index deals_payments_deal on deals_payments (program_id, deal_id);

-- Where partners are paid through PayPal, and the batches in which payouts were sent.

-- An address is given once and never changes: another address is another receiver. So a payout that waits goes where it was meant to go.
create table paypal_receivers (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  user_id     text not null,
  -- Null until it is given, and again once it is erased.
  email       text check (length(email) between 3 and 254),
  created_at  timestamptz not null default now(),
  given_at    timestamptz,
  -- The partner wants another one.
  closed_at   timestamptz,
  unique (program_id, id),
  check (email is null or given_at is not null)
);
create index paypal_receivers_user on paypal_receivers (program_id, user_id);

create function paypal_keep_address() returns trigger language plpgsql as $$
begin
  if new.given_at is distinct from old.given_at and old.given_at is not null
     or new.email is not null and old.given_at is not null and new.email is distinct from old.email then
    raise exception 'the address of a PayPal receiver is given once';
  end if;
  return new;
end $$;
create trigger paypal_keep_address before update on paypal_receivers for each row execute function paypal_keep_address();

-- One batch for each payout. The row is there before PayPal is asked.
create table paypal_batches (
  payout_id       uuid primary key,
  program_id      uuid not null references core_programs,
  receiver_id     uuid not null,
  -- While this is younger than 30 days, PayPal refuses a second batch for the payout.
  first_tried_at  timestamptz not null,
  -- PayPal's own id, once it is known.
  batch_id        text unique check (length(batch_id) between 1 and 100),
  item_status     text,
  -- When PayPal last said how it stands.
  checked_at      timestamptz,
  -- When it had arrived or come back.
  settled_at      timestamptz,
  foreign key (program_id, receiver_id) references paypal_receivers (program_id, id),
  check (settled_at is null or batch_id is not null),
  check ((batch_id is null) = (checked_at is null))
);
create index paypal_batches_open on paypal_batches (program_id, checked_at) where settled_at is null and batch_id is not null;

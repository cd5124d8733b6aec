-- Payouts that are called back before they are sent, a monthly schedule, and payouts by hand.

alter table payouts_payouts drop constraint payouts_payouts_state_check;
alter table payouts_payouts add constraint payouts_payouts_state_check
  check (state in ('awaiting_approval', 'queued', 'sent', 'paid', 'returned', 'refused', 'cancelled'));
-- What can still be called back, or waits to be paid by hand.
create index payouts_not_sent on payouts_payouts (program_id, prepared_at) where state in ('awaiting_approval', 'queued');
create index payouts_by_hand on payouts_payouts (program_id, prepared_at) where provider = 'manual' and state in ('queued', 'sent');
-- For sums of what was paid in a period.
create index payouts_settled on payouts_payouts (program_id, settled_at) where state = 'paid';

-- The day of the month on which each program pays, as the schedule last saw it, and the month it is done with.
create table payouts_schedules (
  program_id  uuid primary key references core_programs,
  day         smallint not null check (day between 0 and 28),
  done_month  text check (done_month ~ '^\d{4}-\d{2}$'),
  updated_at  timestamptz not null
);

-- Partners who are paid by hand: under which reference whoever pays knows them. No bank details.
create table payouts_references (
  account     text primary key check (length(account) between 1 and 200),
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  -- Discord id, so that the row is found when their data is exported or erased.
  user_id     text not null,
  reference   text check (length(reference) between 1 and 80),
  updated_at  timestamptz not null,
  unique (program_id, partner_id)
);

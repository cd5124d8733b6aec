-- When a payout arrived stays known after it came back: the year in which it counted is another than the one in which it came back.
alter table payouts_payouts add column paid_at timestamptz;
update payouts_payouts set paid_at = settled_at where state = 'paid';
update payouts_payouts p set paid_at = t.posted_at from ledger_transfers t
where p.state = 'returned' and t.program_id = p.program_id and t.key = 'payout:' || p.id || ':payout_confirmed';
-- What did not arrive, by when that was known: for the report of a year, and to ask providers about its account.
create index payouts_came_back on payouts_payouts (program_id, settled_at) where state in ('returned', 'refused');

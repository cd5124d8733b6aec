-- The order in which transfers were posted, for whoever reads them: several may bear one time.
alter table ledger_transfers add column number bigint not null generated always as identity;

-- As of when the provider said how the account is: older news that come later change nothing.
alter table payouts_methods add column told_at timestamptz;

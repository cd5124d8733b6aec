-- How often a provider put the payout off for what the program itself has to mend, such as its funds. It is part of the key under which the payout is sent:
-- a provider that answers a repetition under the same key with its first answer would put it off again.
alter table payouts_payouts add column postponed integer not null default 0;

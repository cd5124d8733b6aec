-- A payment that is told late counts by what was so when it was made: pauses that are over are kept, too.

alter table coupons_coupons
  -- [{"from": …, "to": …}, …]; at "to" the code counted again.
  add column earlier_pauses jsonb not null default '[]' check (jsonb_typeof(earlier_pauses) = 'array');

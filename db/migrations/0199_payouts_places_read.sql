-- Places are written when an account changes and read with every commission: no reader should search what is not yet sorted in.
drop index payouts_methods_places;
create index payouts_methods_places on payouts_methods using gin (places) with (fastupdate = off);

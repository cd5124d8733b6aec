-- The day that is under way is summed up by adding the clicks since `through`, and from its beginning when a late click set `through` back to it, and when it
-- is over. `reached` is how far a program was summed up before it was set back: sums of its last day are made anew at least as far, so none is left from before.
alter table links_days_summed add column reached timestamptz;
update links_days_summed set reached = through;
alter table links_days_summed alter column reached set not null;

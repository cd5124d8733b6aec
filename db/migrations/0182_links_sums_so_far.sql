-- The hour and the day that are under way are summed up as well, up to a moment some minutes ago. What is not summed up is then little, and found by its time;
-- an index of clicks by partner, which cost every click as much as anything else about it, is no longer needed.

drop index links_clicks_partner;

-- The first instant of a day where the program is: midnight, or a microsecond after the last of the day before, since midnight may come twice.
create function links_begin_of_day(day date, time_zone text) returns timestamptz language sql immutable strict parallel safe as $$
  select least(day::timestamp at time zone time_zone, ((day::timestamp - interval '1 microsecond') at time zone time_zone) + interval '1 microsecond')
$$;

-- links_summed.through: all counted clicks before it are in links_hours, save those in links_stale_hours.

-- All counted clicks before `through` are in links_days, as days of this time zone. To know which clicks after it are the first of their browser that day in
-- UTC, clicks are to be looked at from `read_from` on; who was there before is in links_seen. No row: none is.
alter table links_days_summed
  add column through timestamptz,
  add column read_from timestamptz;
update links_days_summed set through = links_begin_of_day(before, time_zone);
update links_days_summed set read_from = date_trunc('day', through, 'utc');
alter table links_days_summed
  alter column through set not null,
  alter column read_from set not null,
  drop column before,
  add check (read_from <= through and read_from >= date_trunc('day', through, 'utc'));

-- The first counted click of each browser and partner of today in UTC, as far as it is summed up: two days at most. The hashes are those of the clicks.
create table links_seen (
  day         date not null,
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  ip_hash     bytea not null,
  agent_hash  bytea not null,
  at          timestamptz not null,
  primary key (day, partner_id, ip_hash, agent_hash)
);

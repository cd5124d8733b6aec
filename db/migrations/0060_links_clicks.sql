-- Clicks by month, hourly sums of them, and news of whatever changes where a link leads.

alter table links_clicks rename to links_clicks_before;
alter table links_clicks_before rename constraint links_clicks_pkey to links_clicks_before_pkey;
drop index links_clicks_partner, links_clicks_link, links_clicks_rejected;

-- The id is a UUIDv7 made at `at`, so whoever has the id knows the month. No foreign key to the link: it would lock the link's row for every click;
-- instead no link is ever deleted (links_keep, below) and clicks are only made from links.
create table links_clicks (
  at          timestamptz not null,
  id          uuid not null,
  program_id  uuid not null,
  link_id     uuid not null,
  partner_id  uuid not null,
  -- The click that the same browser carried in its cookie.
  previous    uuid,
  counted     boolean not null,
  -- Eight bytes of a keyed hash whose salt changes daily.
  ip_hash     bytea not null check (length(ip_hash) = 8),
  agent_hash  bytea not null check (length(agent_hash) = 8),
  rejected    text check (rejected in ('bot', 'head', 'prefetch')),
  subs        jsonb,
  primary key (at, id),
  check (not (counted and rejected is not null))
) partition by range (at);
create index links_clicks_partner on links_clicks (partner_id, at) where counted;
create index links_clicks_rejected on links_clicks (program_id, at) where rejected is not null;

-- When the click with this id was made: a UUIDv7 begins with its milliseconds.
create function links_click_at(id uuid) returns timestamptz language sql immutable strict parallel safe as $$
  select timestamptz 'epoch' + (('x0000' || left(replace(id::text, '-', ''), 12))::bit(64)::bigint) * interval '1 millisecond'
$$;

-- Makes the partition of the month (UTC) that `moment` is in. Attaching does not hold up clicks that are being stored.
create function links_ensure_month(moment timestamptz) returns void language plpgsql as $$
declare
  month timestamp := date_trunc('month', moment at time zone 'utc');
  part text := 'links_clicks_' || to_char(month, 'YYYY_MM');
begin
  if to_regclass(part) is not null then return; end if;
  perform pg_advisory_xact_lock(7405560);
  if to_regclass(part) is not null then return; end if;
  execute format('create table %I (like links_clicks including defaults including constraints)', part);
  execute format('alter table links_clicks attach partition %I for values from (%L) to (%L)',
    part, month at time zone 'utc', (month + interval '1 month') at time zone 'utc');
end $$;

-- The months there are, with the moment at which each ends.
create view links_months as
  select c.oid::regclass::text as part, to_date(right(c.relname, 7), 'YYYY_MM')::timestamp at time zone 'utc' as starts,
    (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month')::timestamp at time zone 'utc' as ends
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'links_clicks'::regclass;

select links_ensure_month(m) from generate_series(
  coalesce((select min(at) from links_clicks_before), now()), now() + interval '1 month', interval '1 day') m;
select links_ensure_month(now() + interval '1 month');
insert into links_clicks
select at, id, program_id, link_id, partner_id, previous, counted, substring(ip_hash for 8), substring(agent_hash for 8), rejected, subs
from links_clicks_before;
drop table links_clicks_before;

-- Clicks per link and hour, made from the clicks and made again when one of an earlier hour arrives. Kept when the clicks themselves are forgotten.
create table links_hours (
  link_id     uuid not null,
  hour        timestamptz not null check (date_trunc('hour', hour, 'utc') = hour),
  program_id  uuid not null,
  partner_id  uuid not null,
  -- Counted clicks; clicks of people, including those within an hour of the last; and the rest.
  counted     bigint not null check (counted between 0 and people),
  people      bigint not null,
  rejected    bigint not null check (rejected >= 0),
  primary key (link_id, hour, partner_id),
  foreign key (program_id, link_id) references links_links (program_id, id)
);
create index links_hours_partner on links_hours (partner_id, hour) include (program_id, link_id, counted, people, rejected);
create index links_hours_program on links_hours (program_id, hour);

-- One row: all hours that ended by `through` are in links_hours, save those in links_stale_hours.
create table links_summed (
  one_row  boolean primary key default true check (one_row),
  through  timestamptz not null
);
insert into links_summed (through) values ('2000-01-01T00:00:00Z');

-- Hours before `through` that clicks arrived for afterwards.
create table links_stale_hours (
  hour  timestamptz primary key
);

-- A hash is inserted with every counted click, so its age is indexed in the cheapest way.
drop index links_visits_age;
create index links_visits_age on links_visits using brin (counted_at);

create function links_keep() returns trigger language plpgsql as $$
begin
  raise exception 'a link is kept for ever, so that its code never leads to someone else' using errcode = 'restrict_violation';
end $$;
create trigger links_keep before delete or truncate on links_links for each statement execute function links_keep();

-- Tells every process what to look up again: `link PROGRAM LINK`, `partner PROGRAM PARTNER` or `program PROGRAM`. The columns' names are the arguments.
create function links_tell() returns trigger language plpgsql as $$
declare
  told text;
begin
  execute format('select concat_ws('' '', $1, %s)', (select string_agg(format('($2).%I', name), ', ') from unnest(tg_argv[1:]) name)) into told
    using tg_argv[0], new;
  perform pg_notify('links', told);
  return null;
end $$;
create trigger links_tell after insert or update on links_links for each row execute function links_tell('link', 'program_id', 'id');
create trigger links_tell after insert or update on links_codes for each row execute function links_tell('link', 'program_id', 'link_id');
-- What makes the links of a partner rest: the partner's standing and signatures. And what holds for a whole program.
create trigger links_tell after update on partners_partners for each row when (old.status is distinct from new.status)
  execute function links_tell('partner', 'program_id', 'id');
create trigger links_tell after insert on agreements_signatures for each row execute function links_tell('partner', 'program_id', 'partner_id');
create trigger links_tell after insert on agreements_versions for each row execute function links_tell('program', 'program_id');
create trigger links_tell after insert or update on core_settings for each row when (new.plugin in ('links', 'attribution', 'agreements'))
  execute function links_tell('program', 'program_id');
create trigger links_tell after update on core_programs for each row execute function links_tell('program', 'id');

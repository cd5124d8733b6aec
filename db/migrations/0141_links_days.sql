-- Clicks summed by day and by what they can be told apart by, for statistics: made from the clicks, and made again when one of an earlier day arrives.

create table links_days (
  program_id  uuid not null references core_programs,
  -- Null: all partners of the program together.
  partner_id  uuid,
  dimension   text not null check (dimension in ('all', 'partner', 'link', 'campaign', 'page', 'country', 'device', 'referrer')),
  -- In the program's time zone.
  day         date not null,
  -- Empty when it is not known.
  value       text not null,
  clicks      bigint not null check (clicks > 0),
  -- Clicks that were the first of their browser and partner on a day in UTC.
  visitors    bigint not null check (visitors between 0 and clicks),
  unique nulls not distinct (program_id, partner_id, dimension, day, value)
);

-- All days before `before` are in links_days, as days of this time zone. No row: none is.
create table links_days_summed (
  program_id  uuid primary key references core_programs,
  time_zone   text not null,
  before      date not null
);

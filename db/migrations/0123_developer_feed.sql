-- The feed of public events. Events come into being in transactions that commit in any order; a sealing step, one at a time, gives those that are committed their
-- positions. So a position that is seen never gets a lower neighbour later, and whoever reads on from a position misses nothing.

-- Events that are not sealed yet. Written by the transaction of the event itself: whoever sees the event sees this, too.
create table developer_unsealed (
  outbox_id   bigint primary key,
  program_id  uuid not null,
  -- Why it could not be published, and when that was tried.
  problem     text,
  tried_at    timestamptz
);

create function developer_note_events() returns trigger language plpgsql as $$
begin
  insert into developer_unsealed (outbox_id, program_id)
  select id, program_id from fresh where kind = 'event' and program_id is not null;
  return null;
end $$;
create trigger developer_note_events after insert on core_outbox
  referencing new table as fresh for each statement execute function developer_note_events();

create table developer_events (
  position     bigint generated always as identity primary key,
  id           uuid not null unique,
  program_id   uuid not null references core_programs,
  outbox_id    bigint not null,
  type         text not null,
  version      integer not null check (version >= 1),
  data         jsonb not null,
  occurred_at  timestamptz not null,
  unique (outbox_id, type, version)
);
create index developer_events_program on developer_events (program_id, position);
create index developer_events_age on developer_events (occurred_at);

-- Up to where the feed of a program was forgotten: a cursor before that has missed something, and is told so.
create table developer_feeds (
  program_id         uuid primary key references core_programs,
  forgotten_through  bigint not null
);

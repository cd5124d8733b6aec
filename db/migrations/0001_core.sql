-- The floor that every plugin stands on: programs, settings, guild objects, outbox, interactions, tokens, incoming webhooks, Discord effects.

create table core_programs (
  id          uuid primary key,
  name        text not null check (length(name) between 1 and 100),
  guild_id    text not null unique,
  time_zone   text not null default 'UTC',
  currency    text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
  created_at  timestamptz not null default now()
);

create table core_settings (
  program_id  uuid not null references core_programs,
  plugin      text not null,
  values      jsonb not null,
  updated_at  timestamptz not null default now(),
  primary key (program_id, plugin)
);

-- Which role, category or channel of the guild stands for a key of the blueprint.
create table core_guild_objects (
  program_id  uuid not null references core_programs,
  kind        text not null check (kind in ('role', 'category', 'channel')),
  key         text not null,
  discord_id  text not null,
  updated_at  timestamptz not null default now(),
  primary key (program_id, kind, key)
);

-- Facts (events) and work (jobs) that a committed transaction asks for. A row is done when all its targets have handled it.
create table core_outbox (
  id            bigint generated always as identity primary key,
  program_id    uuid references core_programs,
  kind          text not null check (kind in ('event', 'job')),
  name          text not null,
  payload       jsonb not null,
  dedupe_key    text,
  available_at  timestamptz not null default now(),
  created_at    timestamptz not null default now(),
  relayed_at    timestamptz,
  failed_at     timestamptz,
  last_error    text,
  done_at       timestamptz
);
create index core_outbox_open on core_outbox (available_at, id) where done_at is null;
create index core_outbox_events on core_outbox (program_id, id) where kind = 'event';
create unique index core_outbox_dedupe on core_outbox (name, dedupe_key) where dedupe_key is not null and done_at is null;

-- Which listener or job has handled which outbox row: written in the listener's own transaction, so a redelivery changes nothing.
create table core_deliveries (
  outbox_id   bigint not null references core_outbox on delete cascade,
  target      text not null,
  handled_at  timestamptz not null default now(),
  primary key (outbox_id, target)
);

-- One row per Discord interaction: whoever inserts it may answer it.
create table core_interactions (
  id              text primary key,
  application_id  text not null,
  token           text,
  deferred        boolean not null default false,
  created_at      timestamptz not null default now(),
  finished_at     timestamptz
);
create index core_interactions_open on core_interactions (created_at) where finished_at is null;

-- Single-use links (e-mail verification, signing pages). Only the hash of the token is kept.
create table core_tokens (
  hash        text primary key,
  program_id  uuid not null references core_programs,
  purpose     text not null,
  subject     text not null,
  expires_at  timestamptz not null,
  used_at     timestamptz,
  created_at  timestamptz not null default now()
);
create index core_tokens_subject on core_tokens (program_id, purpose, subject);

-- Verified webhooks, stored before they are handled. A duplicate delivery meets the primary key.
create table core_webhooks (
  source       text not null,
  event_id     text not null,
  program_id   uuid references core_programs,
  type         text not null,
  body         jsonb not null,
  received_at  timestamptz not null default now(),
  deliveries   integer not null default 1,
  handled_at   timestamptz,
  parked_at    timestamptz,
  park_reason  text,
  primary key (source, event_id)
);
create index core_webhooks_parked on core_webhooks (parked_at) where parked_at is not null and handled_at is null;

-- What was refused at the door (bad signature, too old, malformed): a count, nothing else.
create table core_webhook_refusals (
  source   text not null,
  reason   text not null,
  day      date not null,
  count    bigint not null default 1,
  primary key (source, reason, day)
);

-- Which roles a member should have. `applied` says what Discord was last seen to agree with.
create table core_member_roles (
  program_id  uuid not null references core_programs,
  user_id     text not null,
  role_key    text not null,
  wanted      boolean not null,
  applied     boolean,
  reason      text not null,
  updated_at  timestamptz not null default now(),
  last_error  text,
  primary key (program_id, user_id, role_key)
);
create index core_member_roles_open on core_member_roles (program_id) where applied is distinct from wanted;

-- Messages that should stand in a channel or a DM, one per key; a changed payload edits the message that stands.
create table core_messages (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  key          text not null,
  target_kind  text not null check (target_kind in ('channel', 'dm', 'thread')),
  target       text not null,
  payload      jsonb not null,
  revision     integer not null default 1,
  sent_revision integer not null default 0,
  state        text not null default 'wanted' check (state in ('wanted', 'sent', 'refused', 'failed')),
  channel_id   text,
  message_id   text,
  last_error   text,
  created_at   timestamptz not null default now(),
  sent_at      timestamptz,
  unique (program_id, key)
);
create index core_messages_open on core_messages (program_id) where state = 'wanted';

-- Who did what with a privileged command.
create table core_audit (
  id          bigint generated always as identity primary key,
  program_id  uuid not null references core_programs,
  actor       text not null,
  action      text not null,
  detail      jsonb not null default '{}',
  at          timestamptz not null default now()
);
create index core_audit_program on core_audit (program_id, id desc);

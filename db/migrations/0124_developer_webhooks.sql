-- Outgoing webhooks: where events are sent, and what of it is done.

create table developer_endpoints (
  id                uuid primary key,
  program_id        uuid not null references core_programs,
  url               text not null check (url ~ '^https?://[^[:space:]]+$' and length(url) <= 500),
  -- Null: all.
  types             text[],
  -- Signing secrets, encrypted with a key that is not in the database. The one before the last rotation signs as well for a while.
  secret            bytea not null,
  old_secret        bytea,
  old_secret_until  timestamptz,
  created_by        text not null,
  created_at        timestamptz not null default now(),
  last_success_at   timestamptz,
  -- Attempts that failed since the last success; after one, nothing is sent until `rest_until`.
  failures          integer not null default 0,
  failing_since     timestamptz,
  rest_until        timestamptz,
  disabled_at       timestamptz,
  disabled_reason   text,
  unique (program_id, id),
  check ((disabled_at is null) = (disabled_reason is null)),
  check ((old_secret is null) = (old_secret_until is null))
);

create table developer_sends (
  endpoint_id    uuid not null,
  position       bigint not null,
  program_id     uuid not null,
  state          text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempts       integer not null default 0,
  next_at        timestamptz not null,
  -- Whoever sends it now has it until then.
  claimed_until  timestamptz,
  first_at       timestamptz,
  ended_at       timestamptz,
  -- HTTP status of the last attempt, or what went wrong.
  last_result    text,
  primary key (endpoint_id, position),
  foreign key (program_id, endpoint_id) references developer_endpoints (program_id, id) on delete cascade
);
create index developer_sends_due on developer_sends (endpoint_id, next_at) where state = 'pending';
create index developer_sends_position on developer_sends (position);

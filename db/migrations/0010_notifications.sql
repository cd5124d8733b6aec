-- Mails and Discord messages to people: each once per (program, key).

create table notifications_mails (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  key          text not null,
  recipient    text not null check (length(recipient) between 3 and 254),
  user_id      text,
  subject      text not null check (length(subject) between 1 and 200),
  -- What to send; erased once it has been sent or refused, because it carries links that act for the reader.
  content      jsonb,
  state        text not null default 'waiting' check (state in ('waiting', 'sent', 'refused', 'unsent')),
  provider_id  text,
  reason       text,
  created_at   timestamptz not null default now(),
  finished_at  timestamptz,
  unique (program_id, key),
  check ((content is null) = (state in ('sent', 'refused')))
);
create index notifications_mails_recent on notifications_mails (program_id, created_at desc);
create index notifications_mails_unsent on notifications_mails (created_at) where state = 'unsent';

create table notifications_tells (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  key          text not null,
  user_id      text not null,
  -- Kept for as long as a refused direct message may still need the private thread.
  message      jsonb,
  created_at   timestamptz not null default now(),
  threaded_at  timestamptz,
  unique (program_id, key)
);
create index notifications_tells_user on notifications_tells (program_id, user_id);
create index notifications_tells_age on notifications_tells (created_at) where message is not null;

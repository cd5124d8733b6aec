-- API keys of programs. The key itself is shown once and never stored.

create table developer_keys (
  id                   uuid primary key,
  program_id           uuid not null references core_programs,
  name                 text not null check (length(name) between 1 and 60),
  -- SHA-256 of the whole key: it is random, so it needs no salt.
  hash                 bytea not null unique check (length(hash) = 32),
  -- How the key begins, so that a person can tell which it is.
  beginning            text not null check (length(beginning) <= 20),
  scopes               text[] not null check (cardinality(scopes) > 0),
  requests_per_minute  integer not null check (requests_per_minute between 1 and 100000),
  created_by           text not null,
  created_at           timestamptz not null default now(),
  expires_at           timestamptz,
  revoked_at           timestamptz,
  -- To the minute.
  last_used_at         timestamptz,
  unique (program_id, id)
);
create index developer_keys_program on developer_keys (program_id, created_at);

-- What the first request with an Idempotency-Key was answered, so that the same request again has the same answer and no second effect.

create table developer_answers (
  program_id       uuid not null,
  key_id           uuid not null,
  idempotency_key  text not null check (length(idempotency_key) between 1 and 255),
  -- SHA-256 of method, route and body.
  request_hash     bytea not null check (length(request_hash) = 32),
  -- Null only within the transaction of the first request.
  status           integer check (status between 200 and 299),
  answer           text,
  created_at       timestamptz not null default now(),
  primary key (program_id, key_id, idempotency_key),
  foreign key (program_id, key_id) references developer_keys (program_id, id)
);
create index developer_answers_age on developer_answers (created_at);

-- The texts that were offered for signature, their versions by program, and the signatures. None of them ever changes.

create table agreements_texts (
  -- SHA-256 of the text, in hex.
  hash        text primary key check (hash ~ '^[0-9a-f]{64}$'),
  text        text not null,
  created_at  timestamptz not null default now()
);

create table agreements_versions (
  program_id    uuid not null references core_programs,
  version       text not null,
  hash          text not null references agreements_texts,
  published_at  timestamptz not null default now(),
  primary key (program_id, version)
);

create table agreements_signatures (
  id                 uuid primary key,
  program_id         uuid not null references core_programs,
  partner_id         uuid not null,
  -- Discord id of the signer.
  user_id            text not null,
  version            text not null,
  document_versions  jsonb not null,
  hash               text not null references agreements_texts,
  typed_name         text not null check (length(typed_name) between 2 and 120),
  email              text not null,
  ip_hash            text not null,
  user_agent         text not null,
  signed_at          timestamptz not null default now(),
  pdf                bytea not null,
  unique (program_id, partner_id, version),
  foreign key (program_id, version) references agreements_versions (program_id, version)
);
create index agreements_signatures_partner on agreements_signatures (program_id, partner_id, signed_at desc);

create function agreements_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is a record of what was signed and never changes', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger agreements_texts_immutable before update or delete or truncate on agreements_texts
  for each statement execute function agreements_refuse_change();
create trigger agreements_versions_immutable before update or delete or truncate on agreements_versions
  for each statement execute function agreements_refuse_change();
create trigger agreements_signatures_immutable before update or delete or truncate on agreements_signatures
  for each statement execute function agreements_refuse_change();

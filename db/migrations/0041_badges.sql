-- Badges: who earned what, once per period. A badge that was taken back keeps its row, so that it is not earned again by the same facts.

create table badges_awards (
  id             uuid primary key,
  program_id     uuid not null references core_programs,
  partner_id     uuid not null,
  user_id        text not null,
  badge          text not null check (badge <> ''),
  period         text not null check (period = 'once' or period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  facts          jsonb not null default '{}',
  awarded_at     timestamptz not null default now(),
  awarded_by     text,
  celebrated     boolean not null,
  revoked_at     timestamptz,
  revoked_by     text,
  revoke_reason  text,
  unique (program_id, partner_id, badge, period),
  check ((revoked_at is null) = (revoked_by is null) and (revoked_at is null) = (revoke_reason is null))
);
create index badges_awards_user on badges_awards (program_id, user_id);

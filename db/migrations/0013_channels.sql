-- Which of its roles the channels plugin has given to a partner, so that a change touches only what differs.

create table channels_grants (
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  role_key    text not null,
  granted_at  timestamptz not null default now(),
  primary key (program_id, partner_id, role_key)
);

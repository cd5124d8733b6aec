-- Tax: where partners are liable, and how far their form is, as the provider that collects it reports. No tax number is stored.

create table tax_forms (
  program_id    uuid not null references core_programs,
  partner_id    uuid not null,
  -- Discord id, so that the row is found when their data is exported or erased.
  user_id       text not null,
  -- ISO 3166-1 alpha-2.
  jurisdiction  text not null check (jurisdiction ~ '^[A-Z]{2}$'),
  -- Such as W-9 or W-8BEN.
  form          text not null check (form ~ '^[A-Z0-9][A-Z0-9 -]{0,19}$'),
  status        text not null check (status in ('requested', 'submitted', 'valid', 'rejected', 'expired')),
  -- The first instant at which a valid form is so no more.
  valid_until   timestamptz,
  -- Who said so: a provider's id, or an admin's Discord id.
  source        text not null,
  updated_at    timestamptz not null,
  primary key (program_id, partner_id)
);
create index tax_forms_of_user on tax_forms (program_id, user_id);

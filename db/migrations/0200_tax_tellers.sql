-- Who says how far a form is: an admin by hand, and each provider for itself. Each has one row, so that neither overwrites the other.
alter table tax_forms add column recorded_by text;
update tax_forms set recorded_by = source, source = 'hand' where source ~ '^[0-9]+$';
alter table tax_forms drop constraint tax_forms_pkey, add primary key (program_id, partner_id, source);

-- Since when they say so: what was said last counts. And as of when they said so last: older news that come later change nothing.
alter table tax_forms rename column updated_at to said_at;
alter table tax_forms add column told_at timestamptz;
update tax_forms set told_at = said_at;
alter table tax_forms alter column told_at set not null;

-- A provider may say nothing of a form any more.
alter table tax_forms
  alter column jurisdiction drop not null,
  alter column form drop not null,
  alter column status drop not null,
  add check (num_nulls(jurisdiction, form, status) in (0, 3));

-- Partners, what they last typed into a form that was refused, and the verification mails that went out.

create table partners_partners (
  id                  uuid primary key,
  program_id          uuid not null references core_programs,
  user_id             text not null,
  name                text not null check (length(name) between 2 and 80),
  email               text not null check (length(email) between 3 and 254),
  -- An address that a verified partner wants to change to; it takes the place of `email` once it is verified.
  pending_email       text check (length(pending_email) between 3 and 254),
  industry            text not null,
  status              text not null check (status in ('registered', 'verified', 'active', 'suspended', 'left')),
  status_before_left  text check (status_before_left in ('registered', 'verified', 'active', 'suspended')),
  -- Number of the last event about coming or leaving that was taken into account: events may arrive in another order.
  membership_event    bigint not null default 0,
  registered_at       timestamptz not null default now(),
  verified_at         timestamptz,
  activated_at        timestamptz,
  left_at             timestamptz,
  unique (program_id, user_id),
  check ((status = 'left') = (status_before_left is not null)),
  check (coalesce(status_before_left, status) = 'registered' or verified_at is not null),
  check (coalesce(status_before_left, status) <> 'active' or activated_at is not null)
);
create index partners_partners_status on partners_partners (program_id, status, registered_at desc);
create index partners_partners_email on partners_partners (program_id, lower(email));
create index partners_partners_pending on partners_partners (program_id, lower(pending_email)) where pending_email is not null;
-- A verified address belongs to one partner.
create unique index partners_partners_verified_email on partners_partners (program_id, lower(email)) where verified_at is not null;

create table partners_drafts (
  program_id  uuid not null references core_programs,
  user_id     text not null,
  name        text not null,
  email       text not null,
  industry    text not null,
  updated_at  timestamptz not null default now(),
  primary key (program_id, user_id)
);

create table partners_verification_mails (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  partner_id  uuid not null references partners_partners,
  email       text not null,
  sent_at     timestamptz not null default now()
);
create index partners_verification_mails_partner on partners_verification_mails (partner_id, sent_at desc);

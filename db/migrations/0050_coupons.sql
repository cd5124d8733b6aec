-- Coupon codes and the partner that each speaks for.

create table coupons_coupons (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  user_id     text not null,
  -- As it was written, and folded: upper case and look-alikes (0 and o, 1, l and i) removed, so that no two codes can be confused.
  code        text not null check (code ~ '^[A-Za-z0-9-]{3,20}$'),
  folded      text not null check (folded ~ '^[a-z2-9-]{3,20}$'),
  created_by  text not null,
  created_at  timestamptz not null default now(),
  -- While paused, the code counts for payments made before that time only.
  paused_at   timestamptz,
  unique (program_id, folded)
);
create index coupons_coupons_partner on coupons_coupons (program_id, partner_id, created_at);
create index coupons_coupons_user on coupons_coupons (program_id, user_id);

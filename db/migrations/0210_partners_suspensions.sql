-- Since when and why a partner is suspended. How far they had come is told by the dates of their steps, which go on counting meanwhile, so somebody may be
-- suspended before their address is verified.

alter table partners_partners
  add column suspended_at timestamptz,
  add column suspended_because text check (length(suspended_because) <= 300),
  drop constraint partners_partners_check1,
  add constraint partners_partners_progress check (coalesce(status_before_left, status) in ('registered', 'suspended') or verified_at is not null),
  add constraint partners_partners_suspension check (suspended_at is null or coalesce(status_before_left, status) = 'suspended'),
  add constraint partners_partners_suspended_because check (suspended_because is null or suspended_at is not null);

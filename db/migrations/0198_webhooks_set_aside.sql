-- A parked event of which an admin says that nothing is to come: it counts as handled, and stays with who said so, when and why.
alter table core_webhooks
  add column set_aside_at timestamptz,
  add column set_aside_by text,
  add column set_aside_reason text,
  add constraint core_webhooks_set_aside_whole check (
    (set_aside_at is null) = (set_aside_by is null) and (set_aside_at is null) = (set_aside_reason is null)
  ),
  add constraint core_webhooks_set_aside_was_parked check (set_aside_at is null or (parked_at is not null and handled_at is not null));
create index core_webhooks_set_aside on core_webhooks (set_aside_at) where set_aside_at is not null;

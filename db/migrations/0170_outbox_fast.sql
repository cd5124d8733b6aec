-- The outbox at speed: one wake-up a statement instead of a call a row, and the open rows apart from the many that are done.

create index core_outbox_fresh on core_outbox (id) where done_at is null and failed_at is null and relayed_at is null;
create index core_outbox_handed_over on core_outbox (relayed_at) where done_at is null and failed_at is null and relayed_at is not null;
drop index core_outbox_open;

create function core_outbox_tell() returns trigger language plpgsql as $$
begin
  perform pg_notify('core_outbox', '');
  return null;
end $$;
create trigger core_outbox_told after insert on core_outbox for each statement execute function core_outbox_tell();

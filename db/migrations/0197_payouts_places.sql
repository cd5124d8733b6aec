-- An account at a provider can have several places that money can go to, of which some are its default: keyed hashes of all, and of those; null until told.
alter table payouts_methods add column places text[], add column default_places text[];
-- One place was kept, and not whether it was the default. Any other that the provider tells of next counts as new, since nobody can say how long it was there.
update payouts_methods set places = array[identity_hash] where identity_hash is not null;
alter table payouts_methods drop column identity_hash;
-- Two partners whose places overlap share one.
create index payouts_methods_places on payouts_methods using gin (places);

-- What more signals of fraud look at: whether a click came from a data centre, where a partner's money goes, and from where partners were seen.

alter table links_clicks add column datacentre boolean not null default false;

-- A keyed hash of what the provider calls the place that money goes to (a bank account's fingerprint, a PayPal address): two partners with one hash share it.
alter table payouts_methods add column identity_hash text;
create index payouts_methods_identity on payouts_methods (program_id, identity_hash) where identity_hash is not null;

-- From which computers a partner was seen on pages that only they can open: hashes under the salt with which the clicks of `day` are hashed, and so comparable
-- with those clicks and with nothing else.
create table fraud_sightings (
  program_id  uuid not null references core_programs,
  partner_id  uuid not null,
  user_id     text not null,
  day         date not null,
  address     text not null,
  agent       text not null,
  primary key (program_id, partner_id, day, address, agent)
);
create index fraud_sightings_day on fraud_sightings (day);
create index fraud_sightings_user on fraud_sightings (program_id, user_id);

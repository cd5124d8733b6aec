-- Referral links, their codes (current and former), and the clicks on them.

create table links_links (
  id           uuid primary key,
  program_id   uuid not null references core_programs,
  partner_id   uuid not null,
  code         text not null,
  -- Null: wherever the program's landing page is now.
  destination  text check (destination ~ '^https?://[^[:space:]]+$' and length(destination) <= 2000),
  campaign     text check (length(campaign) between 1 and 50),
  created_at   timestamptz not null default now(),
  unique (program_id, id)
);
create index links_links_partner on links_links (program_id, partner_id, created_at);

-- Every code that ever led somewhere, folded (case and look-alikes removed). Unique over the whole deployment, since the address names no program.
create table links_codes (
  folded      text primary key check (folded ~ '^[a-z2-9-]{3,32}$'),
  program_id  uuid not null,
  link_id     uuid not null,
  created_at  timestamptz not null default now(),
  foreign key (program_id, link_id) references links_links (program_id, id)
);
create index links_codes_link on links_codes (program_id, link_id);

-- The id is a UUIDv7: it sorts by time and travels as siso_cid. Addresses are kept only as keyed hashes.
create table links_clicks (
  id          uuid primary key,
  program_id  uuid not null,
  link_id     uuid not null,
  partner_id  uuid not null,
  at          timestamptz not null,
  ip_hash     bytea not null,
  agent_hash  bytea not null,
  -- The click that the same browser carried in its cookie.
  previous    uuid,
  counted     boolean not null,
  rejected    text check (rejected in ('bot', 'head', 'prefetch')),
  subs        jsonb,
  check (not (counted and rejected is not null)),
  foreign key (program_id, link_id) references links_links (program_id, id)
);
create index links_clicks_partner on links_clicks (program_id, partner_id, at) where counted;
create index links_clicks_link on links_clicks (program_id, link_id) where counted;
create index links_clicks_rejected on links_clicks (program_id, at) where rejected is not null;

-- Who was counted on which link within the last hour: a keyed hash of link, address and user agent, and nothing else.
create table links_visits (
  key         bytea primary key,
  counted_at  timestamptz not null
);
create index links_visits_age on links_visits (counted_at);

-- Landing pages and who gets which, and what links carry for those who manage them: tags, sub ids, an admin's stop, which default link one is; and lists
-- of links that wait for a go-ahead.

create table links_landing_pages (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  name        text not null check (length(name) between 1 and 50),
  -- {code}, {campaign} and {industry} may stand behind the host.
  address     text not null check (address ~ '^https?://[^[:space:]]+$' and length(address) <= 1000),
  -- Whether partners may choose it for a link themselves.
  offered     boolean not null,
  created_at  timestamptz not null,
  -- A page that was removed is kept for the clicks that went there.
  removed_at  timestamptz,
  unique (program_id, id)
);
create unique index links_landing_pages_name on links_landing_pages (program_id, lower(name)) where removed_at is null;

create table links_assignments (
  program_id   uuid not null,
  kind         text not null check (kind in ('partner', 'campaign', 'industry')),
  -- A partner's id, a campaign in lower case, or the key of an industry.
  subject      text not null check (length(subject) between 1 and 100),
  page_id      uuid not null,
  assigned_at  timestamptz not null,
  primary key (program_id, kind, subject),
  foreign key (program_id, page_id) references links_landing_pages (program_id, id)
);
create index links_assignments_page on links_assignments (program_id, page_id);

alter table links_links
  add column landing_page_id uuid,
  add column tags text[] not null default '{}' check (cardinality(tags) <= 10),
  -- What the link itself says of sub1 … sub5; a visitor's own win.
  add column subs jsonb check (jsonb_typeof(subs) = 'object'),
  -- An admin stopped the link, and why. Unlike a pause, the partner cannot end it.
  add column suspended_at timestamptz,
  add column suspended_because text check (length(suspended_because) <= 300),
  -- Which of the program's default links this is: the landing page's name, or `default`.
  add column default_for text check (length(default_for) between 1 and 50),
  add constraint links_one_page check (destination is null or landing_page_id is null),
  add foreign key (program_id, landing_page_id) references links_landing_pages (program_id, id);
create unique index links_links_default on links_links (program_id, partner_id, default_for) where default_for is not null;
create index links_links_page on links_links (program_id, landing_page_id) where landing_page_id is not null;

-- Codes as they were written, so that former ones can be shown.
alter table links_codes add column code text;
update links_codes c set code = l.code from links_links l where l.id = c.link_id and translate(lower(l.code), '01l', 'oii') = c.folded;

-- Links as a list wants them, checked, until whoever brought the list says yes.
create table links_imports (
  id          uuid primary key,
  program_id  uuid not null references core_programs,
  user_id     text not null,
  links       jsonb not null check (jsonb_typeof(links) = 'array'),
  created_at  timestamptz not null
);
create index links_imports_age on links_imports (created_at);

-- News for the redirect: `rule PROGRAM`.
create function links_tell_rule() returns trigger language plpgsql as $$
begin
  perform pg_notify('links', 'rule ' || coalesce(new.program_id, old.program_id));
  return null;
end $$;
create trigger links_tell after insert or update on links_landing_pages for each row execute function links_tell_rule();
create trigger links_tell after insert or update or delete on links_assignments for each row execute function links_tell_rule();
create trigger links_tell_industry after update on partners_partners for each row
  when (old.industry is distinct from new.industry and old.status is not distinct from new.status)
  execute function links_tell('partner', 'program_id', 'id');

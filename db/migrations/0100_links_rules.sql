-- What a link obeys beyond where it leads, and what a click is counted by: country, device, referrer, landing page and campaign.

alter table links_links
  add column paused_at timestamptz,
  -- From this moment on it leads nowhere.
  add column expires_at timestamptz,
  -- After so many counted clicks it leads nowhere.
  add column click_limit int check (click_limit > 0),
  -- Other pages for some visitors, the first that fits: [{"countries": ["DE"], "devices": ["mobile"], "page": "https://…"}], either list left out for all.
  add column targets jsonb not null default '[]' check (
    jsonb_typeof(targets) = 'array' and jsonb_array_length(targets) <= 20 and not jsonb_path_exists(targets,
      '$[*] ? (!(exists (@.page)) || @.page.type() != "string" || !(@.page like_regex "^https?://[^[:space:]]+$"))'));

create type links_device as enum ('desktop', 'mobile', 'tablet');

alter table links_clicks
  add column device links_device,
  -- ISO 3166, from the address, which itself is not kept.
  add column country text check (length(country) = 2),
  -- Of links_landing_pages, when the visitor was sent to an assigned page.
  add column landing_page_id uuid,
  -- The host alone.
  add column referrer text check (length(referrer) <= 100),
  -- As it was when the link was followed.
  add column campaign text check (length(campaign) <= 50),
  -- The name of the parameter that says that the click was bought, such as gclid; never its value.
  add column paid_by text check (length(paid_by) <= 40),
  drop constraint links_clicks_rejected_check1,
  -- Those from 'inactive' on were not sent on: the partner is not active or has not signed, or the link is paused, expired or used up.
  add constraint links_clicks_rejected_check
    check (rejected in ('bot', 'head', 'prefetch', 'inactive', 'paused', 'expired', 'limit'));

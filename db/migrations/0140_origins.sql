-- Where a sale and its commission came from: the winning click as it was made, kept because clicks are forgotten. {"link": id, "campaign": …, …}

alter table attribution_sales add column origin jsonb check (jsonb_typeof(origin) = 'object' and origin ? 'link');
alter table commissions_commissions add column origin jsonb check (jsonb_typeof(origin) = 'object' and origin ? 'link');

-- Of the sales so far: the click of the decision in force, as far as it is still there; bound customers keep the origin of the sale that bound them.
update attribution_sales s set origin = jsonb_build_object('link', c.link_id)
from (
  select distinct on (sale_id) sale_id, jsonb_path_query_first(trace, '$.candidates[*] ? (@.lost == null && @.kind == "click")') ->> 'reference' as click
  from attribution_decisions order by sale_id, number desc
) d
join links_clicks c on c.id = case when d.click ~ '^[0-9a-f-]{36}$' then d.click::uuid end
where d.sale_id = s.id and c.program_id = s.program_id;

update attribution_sales s set origin = first.origin
from attribution_bindings b join attribution_sales first on first.id = b.sale_id
where s.program_id = b.program_id and s.customer_id = b.customer_id and s.partner_id = b.partner_id and s.origin is null and first.origin is not null
  and exists (select from attribution_decisions d where d.sale_id = s.id and jsonb_path_exists(d.trace, '$.candidates[*] ? (@.lost == null && @.kind == "binding")'));

update commissions_commissions c set origin = s.origin from attribution_sales s where s.id = c.sale_id and s.origin is not null;

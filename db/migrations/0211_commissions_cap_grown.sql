-- Under a cap per period a sale takes up what it was worth when it was booked, and more when its basis grew afterwards and room was left. What sales took
-- before that was counted is theirs: their worth without what people added.

alter table commissions_commissions
  add column grown bigint not null default 0 check (grown >= 0 and (grown = 0 or capped_by is not null));

update commissions_commissions c set grown = more.grown
from (
  select l.id, sum(p.amount) - l.full_amount - coalesce((
      select sum(i.amount) from commissions_interventions i
      where i.program_id = l.program_id and i.sale_id = l.sale_id and i.kind = 'adjust' and i.ended_at is null), 0) as grown
  from commissions_commissions l
  join commissions_commissions p on p.program_id = l.program_id and p.sale_id = l.sale_id and p.partner_id = l.partner_id
  where l.capped_by is not null and not exists (
    select from commissions_commissions later
    where later.program_id = l.program_id and later.sale_id = l.sale_id and later.partner_id = l.partner_id and later.part > l.part)
  group by l.id
) more
where c.id = more.id and more.grown > 0;

-- A sale can be taken from one partner and given to another: each has commissions of their own for it, and what people decided about the one says nothing
-- about the other.

alter table commissions_commissions drop constraint commissions_commissions_program_id_sale_id_part_key;
alter table commissions_commissions add unique (program_id, sale_id, partner_id, part);

alter table commissions_interventions add column ended_at timestamptz;
drop index commissions_interventions_void;
create unique index commissions_interventions_void on commissions_interventions (program_id, sale_id) where kind = 'void' and ended_at is null;

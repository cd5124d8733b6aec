-- A lost dispute takes the amount that was disputed, which may be a part of the sale. Until now every lost dispute took all of it.

alter table attribution_sales add column lost bigint not null default 0;
update attribution_sales set lost = gross where dispute = 'lost';
alter table attribution_sales add check (lost >= 0 and lost <= gross);

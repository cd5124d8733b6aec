-- amount: a payment of the deal's amount that somebody else made, of which a person said that it is the deal's money.

alter table deals_payments
  drop constraint deals_payments_how_check,
  drop constraint deals_payments_check,
  add constraint deals_payments_how_check check (how in ('named', 'contact', 'amount')),
  add constraint deals_payments_check check (how <> 'named' or state = 'counted');

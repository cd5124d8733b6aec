-- Payments are compared with deals that were recorded by hand.
create index deals_deals_won on deals_deals (program_id, won_amount) where status = 'won';

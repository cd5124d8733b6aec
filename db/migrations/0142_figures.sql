-- For statistics of a whole program.
create index commissions_earned on commissions_commissions (program_id, earned_at);

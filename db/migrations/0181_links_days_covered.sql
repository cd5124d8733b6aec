-- Sums of clicks are read from the index alone: a program's partners or links of three months are tens of thousands of rows, each on a page of its own.

alter table links_days
  drop constraint links_days_program_id_partner_id_dimension_day_value_key,
  add constraint links_days_program_id_partner_id_dimension_day_value_key
    unique nulls not distinct (program_id, partner_id, dimension, day, value) include (clicks, visitors);

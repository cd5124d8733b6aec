-- For rules that count months from a subscription's first payment.
create index attribution_sales_subscription on attribution_sales (program_id, subscription, paid_at) where subscription is not null;

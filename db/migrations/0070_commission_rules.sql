-- Rules for a product, a tier or a partner, with limits, conditions and dates. A rule is never changed: it ends, or another version follows it. What a
-- commission was stamped with is never changed either.

alter table commissions_rules
  add column name          text not null default 'default' check (length(name) between 1 and 60),
  -- Whom and what it is for; scope and subject name the most specific of the three.
  add column partner_id    uuid,
  add column tier          text,
  add column product       text,
  -- An amount per sale instead of a rate.
  add column flat          bigint check (flat > 0),
  -- Of flat, minimum and caps; the rule is then for sales in this currency only.
  add column currency      text check (currency ~ '^[A-Z]{3}$'),
  add column minimum       bigint check (minimum > 0),
  add column countries     text[] check (cardinality(countries) > 0),
  add column customer      text not null default 'any' check (customer in ('any', 'new', 'returning')),
  -- Which payments of a subscription earn: the first only, or all of them within the limits.
  add column payments      text not null default 'every' check (payments in ('first', 'every')),
  add column months        integer check (months between 1 and 1200),
  add column max_payments  integer check (max_payments between 1 and 100000),
  add column sale_cap      bigint check (sale_cap > 0),
  add column period_cap    bigint check (period_cap > 0),
  add column cap_period    text check (cap_period in ('month', 'year')),
  -- In force for payments in [starts_at, ends_at).
  add column starts_at     timestamptz,
  add column ends_at       timestamptz,
  -- Discord id of the admin; null for the program's own rate, which is a setting.
  add column created_by    text;

update commissions_rules set starts_at = created_at;

alter table commissions_rules
  alter column starts_at set not null,
  add check (subject is not distinct from
    case scope when 'partner' then partner_id::text when 'tier' then tier when 'product' then product end),
  add check (scope = case when partner_id is not null then 'partner' when tier is not null then 'tier'
    when product is not null then 'product' else 'program' end),
  add check (flat is null or rate_ppm = 0),
  add check (currency is not null or (flat is null and minimum is null and sale_cap is null and period_cap is null)),
  add check ((period_cap is null) = (cap_period is null)),
  add check (payments = 'every' or (months is null and max_payments is null)),
  add check (ends_at >= starts_at),
  drop constraint commissions_rules_program_id_scope_subject_version_key,
  add unique (program_id, name, version);

create function commissions_refuse_rule_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - 'ends_at' = to_jsonb(old) - 'ends_at' and new.ends_at is not null
    and new.ends_at <= coalesce(old.ends_at, 'infinity') then
    return new;
  end if;
  raise exception 'a rule of commissions is never changed, only ended' using errcode = 'restrict_violation';
end $$;
create trigger commissions_rules_immutable before update or delete on commissions_rules
  for each row execute function commissions_refuse_rule_change();

-- A rule that is being thought about: simulated first, then published by a button.
create table commissions_rule_drafts (
  id            uuid primary key,
  program_id    uuid not null references core_programs,
  terms         jsonb not null,
  created_by    text not null,
  created_at    timestamptz not null,
  published_at  timestamptz,
  rule_id       uuid references commissions_rules,
  check ((published_at is null) = (rule_id is null))
);
create index commissions_rule_drafts_open on commissions_rule_drafts (program_id, created_at) where published_at is null;

alter table commissions_commissions
  -- The rest of the stamp: an amount instead of a rate, and the most it may be worth with the reason.
  add column flat          bigint check (flat > 0),
  add column limit_amount  bigint check (limit_amount >= 0),
  add column limit_reason  text,
  -- Its worth without any refund, and the name of the rule whose cap per period that counts towards.
  add column full_amount   bigint not null default 0,
  add column capped_by     text,
  add check ((limit_amount is null) = (limit_reason is null));
create index commissions_towards_cap on commissions_commissions (program_id, partner_id, currency, capped_by, earned_at)
  where capped_by is not null;

create function commissions_refuse_stamp_change() returns trigger language plpgsql as $$
begin
  raise exception 'the stamp of commission % is never changed', old.id using errcode = 'restrict_violation';
end $$;
create trigger commissions_stamp_immutable before update on commissions_commissions for each row
  when ((new.program_id, new.sale_id, new.part, new.partner_id, new.currency, new.rule_id, new.rule_version, new.rate_ppm, new.basis, new.earned_at,
      new.flat, new.limit_amount, new.limit_reason, new.full_amount, new.capped_by)
    is distinct from (old.program_id, old.sale_id, old.part, old.partner_id, old.currency, old.rule_id, old.rule_version, old.rate_ppm, old.basis, old.earned_at,
      old.flat, old.limit_amount, old.limit_reason, old.full_amount, old.capped_by))
  execute function commissions_refuse_stamp_change();

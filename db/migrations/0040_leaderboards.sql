-- Leaderboards: one board a month, who does not want to stand on it, and the results that stand for ever.

create table leaderboards_months (
  program_id  uuid not null references core_programs,
  month       text not null check (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  metric      text not null,
  currency    text not null check (currency ~ '^[A-Z]{3}$'),
  frozen_at   timestamptz,
  primary key (program_id, month)
);
create index leaderboards_months_open on leaderboards_months (program_id) where frozen_at is null;

create table leaderboards_results (
  program_id  uuid not null,
  month       text not null,
  position    integer not null check (position > 0),
  rank        integer not null check (rank > 0 and rank <= position),
  partner_id  uuid not null,
  user_id     text not null,
  score       bigint not null check (score > 0),
  primary key (program_id, month, position),
  unique (program_id, month, partner_id),
  foreign key (program_id, month) references leaderboards_months
);

create table leaderboards_opt_outs (
  program_id  uuid not null references core_programs,
  user_id     text not null,
  created_at  timestamptz not null default now(),
  primary key (program_id, user_id)
);

-- A final result is not written over, whatever code says. Rows may be erased on a person's request.
create function leaderboards_refuse_change() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'leaderboards_months' then
    if old.frozen_at is null then return new; end if;
  end if;
  raise exception 'the leaderboard of % is final', old.month;
end
$$;
create trigger leaderboards_months_final before update on leaderboards_months for each row execute function leaderboards_refuse_change();
create trigger leaderboards_results_final before update on leaderboards_results for each row execute function leaderboards_refuse_change();

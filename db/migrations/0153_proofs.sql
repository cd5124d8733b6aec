-- How the last proof of each program's books ended, for those who watch the program.
create table ledger_proofs (
  program_id  uuid primary key references core_programs,
  ok          boolean not null,
  findings    integer not null check (findings >= 0),
  transfers   bigint not null,
  proven_at   timestamptz not null,
  check (ok = (findings = 0))
);

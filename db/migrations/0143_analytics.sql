-- In which look each person wants the pictures of their statistics.

create table analytics_looks (
  program_id  uuid not null references core_programs,
  -- Discord id.
  user_id     text not null,
  theme       text not null check (theme in ('dark', 'light')),
  primary key (program_id, user_id)
);

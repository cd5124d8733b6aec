-- A message is of an event: with the event it goes, also when both happen at the same moment. Messages of events that are gone could never be sent.
delete from developer_sends s where not exists (select from developer_events e where e.position = s.position);
alter table developer_sends add foreign key (position) references developer_events on delete cascade;

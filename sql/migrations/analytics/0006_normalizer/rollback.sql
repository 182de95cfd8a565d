delete from analytics.identifiers where ordinal > 1;
alter table analytics.identifiers
drop constraint identifiers_pkey,
drop column ordinal,
drop column version,
add primary key (source_id, source, kind);
delete from analytics.identifiers where kind <> 'session' and source = 'conversation';
alter table analytics.refresh_state drop column version;
insert into analytics.participant_resolutions_changes (operation) values ('everything');

-- A value may hold several identifiers, each with the version of its canonical form. All are computed again by the next tick.
alter table analytics.identifiers
add column ordinal smallint not null default 1,
add column version text not null default '',
drop constraint identifiers_pkey,
add primary key (source_id, source, kind, ordinal);
drop function if exists analytics.holder_of(text, uuid);  -- its successor takes several identifiers
alter table analytics.refresh_state add column version text not null default '';

create or replace view analytics.delays as
with recursive upstream (table_name, source) as (
    select asset_key, asset_key
    from analytics.refresh_state
    union
    select upstream.table_name, parent.asset_key
    from upstream
    inner join analytics.refresh_state as state on state.asset_key = upstream.source
    inner join analytics.refresh_state as parent on
        parent.asset_key = any(state.follows)
        or parent.asset_key = 'crew_conversations' and 'conversations' = any(state.follows)
)

select upstream.table_name, min(fresh.waiting_since) as written_since
from upstream
inner join analytics.freshness as fresh on fresh.table_name = upstream.source
group by upstream.table_name;

comment on view analytics.delays is
'How long the application''s changes have been waiting for each table, wherever upstream they wait.';
comment on column analytics.delays.table_name is 'The table in analytics.';
comment on column analytics.delays.written_since is
'When the oldest change was made that is not in this table yet, or not in one that it is derived from; null if there is '
'none.';

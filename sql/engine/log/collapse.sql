-- Logs "everything of every table", in place of too many unread rows.
-- in:  %(sources)s: sources and derived tables whose logs these are
with sessions as (
    insert into analytics.session_changes (table_oid, operation)
    select
        member,
        'everything'
    from analytics.capture_state
    cross join lateral unnest(members) as member
)

select analytics.log_everything(source) from unnest(%(sources)s::text[]) as source
where source <> 'histories';

-- Whether a table's changes are logged for the lake, by triggers of which none is switched off.
-- in:  %(relation)s: as schema.table; %(name)s: its name
-- out: one row: is_followed
select
    count(*) = 4 and exists (
        select from analytics.lake_state
        where table_name = %(name)s and followed_by is not null
    ) as is_followed
from pg_trigger
where tgrelid = to_regclass(%(relation)s)
    and tgname in ('convo_pipelines_insert', 'convo_pipelines_update', 'convo_pipelines_delete', 'convo_pipelines_truncate')
    and tgenabled = 'A';

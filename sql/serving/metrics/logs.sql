-- out: one row per change log: log, rows (waiting to be read by a tick, or to be trimmed)
select
    'session_changes' as log,
    (select count(*) from analytics.session_changes) as rows
union all
select
    'conversation_changes',
    (select count(*) from analytics.conversation_changes)
union all
select
    'message_changes',
    (select count(*) from analytics.message_changes)
union all
select
    'identifier_changes',
    (select count(*) from analytics.identifier_changes)
union all
select
    'project_changes',
    (select count(*) from analytics.project_changes);

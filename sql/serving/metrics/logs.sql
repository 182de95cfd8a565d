-- The size of each change log.
-- out: one row per change log: log, rows (not yet read by a tick, or not yet trimmed)
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

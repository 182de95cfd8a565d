-- Takes the marks of transactions whose changes could not be logged (see log_triggers.sql), and forgets what is known of every
-- table, so that all of them are read as a whole.
with marks as materialized (
    select lo_unlink(oid) from pg_largeobject_metadata
    where oid >= 4293918720
        and lomowner = (select proowner from pg_proc where oid = 'analytics.log_sessions()'::regprocedure)
),

unknown as (
    update analytics.catalog_state set fingerprint = null
    where exists (select from marks)
)

update analytics.capture_state set identity = null
where exists (select from marks);

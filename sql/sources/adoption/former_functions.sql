-- The trigger functions of views that are no longer captured.
-- out: function_name
select proname::text as function_name
from pg_proc
where pronamespace = 'analytics'::regnamespace
    and proname like 'log\_view\_%%'
    and proname not in (select function_name from analytics.adopted_tables)
    and oid not in (select tgfoid from pg_trigger);

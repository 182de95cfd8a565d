-- The functions of views that are no longer captured, or no longer there.
-- out: function
select oid::regprocedure::text as function
from pg_proc
where pronamespace = 'analytics'::regnamespace
    and (
        proname like 'log\_view\_%%'
        and proname not in (select function_name from analytics.adopted_tables)
        and oid not in (select tgfoid from pg_trigger)
        or proname like 'look\_up\_%%'
        and replace(proname, 'look_up', 'log_view') not in (select function_name from analytics.adopted_tables)
        or proname like 'lock\_view\_%%'
        and not exists (select from pg_class where relkind = 'v' and 'lock_view_' || pg_class.oid = proname)
    );

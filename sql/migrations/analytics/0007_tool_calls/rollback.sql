alter table analytics.histories_sessions drop column tool_call_count;
insert into analytics.session_changes (table_oid, operation)
select
    member,
    'everything'
from analytics.capture_state
cross join lateral unnest(members) as member;

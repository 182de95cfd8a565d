-- Calls of tools are counted apart from answers, and messages of more formats are known: all sessions are computed again.
-- Archived session-days keep their counts.
alter table analytics.histories_sessions add column tool_call_count bigint not null default 0;
alter table analytics.histories_sessions alter column tool_call_count drop default;
insert into analytics.session_changes (table_oid, operation)
select
    member,
    'everything'
from analytics.capture_state
cross join lateral unnest(members) as member;

-- Calls of tools are counted apart from answers, messages of more formats are known, and it is known who spoke last: all sessions
-- and summaries are computed again. Archived session-days keep their counts; of their last messages they get what is known.
alter table analytics.histories_sessions
add column tool_call_count bigint not null default 0,
add column last_human_at timestamptz,
add column last_ai_at timestamptz,
add column unanswered_since timestamptz;
alter table analytics.histories_sessions alter column tool_call_count drop default;
update analytics.histories_sessions
set
    last_human_at = first_human_at,
    last_ai_at = greatest(first_ai_at, first_response_at),
    unanswered_since = case when first_ai_at is null then first_human_at end
where archived_at is not null;
alter table analytics.conversation_summaries
add column first_response_at timestamptz,
add column last_inbound_at timestamptz,
add column last_outbound_at timestamptz,
add column waiting_since timestamptz;
create index conversation_summaries_waiting on analytics.conversation_summaries (waiting_since) where waiting_since is not null;
insert into analytics.session_changes (table_oid, operation)
select
    member,
    'everything'
from analytics.capture_state
cross join lateral unnest(members) as member;
insert into analytics.conversation_summaries_changes (operation) values ('everything');

drop view if exists analytics.waiting_conversations, analytics.crews_without_answer_times;
alter table analytics.histories_sessions
drop column tool_call_count,
drop column last_human_at,
drop column last_ai_at,
drop column unanswered_since;
alter table analytics.conversation_summaries
drop column first_response_at,
drop column last_inbound_at,
drop column last_outbound_at,
drop column waiting_since;
insert into analytics.session_changes (table_oid, operation)
select
    member,
    'everything'
from analytics.capture_state
cross join lateral unnest(members) as member;
insert into analytics.conversation_summaries_changes (operation) values ('everything');

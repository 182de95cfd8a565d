-- Conversation summaries of {days} days, as many each; nothing that they refer to.
set session_replication_role = replica;
insert into analytics.conversation_summaries (
    conversation_id, source, channel, client_id, message_count, inbound_count, outbound_count, participant_count,
    started_at, ended_at, duration_seconds, first_response_seconds
)
select
    gen_random_uuid(), 'messages', 'email', uuid_in(md5((n % 100)::text)::cstring), 10, 5, 5, 2,
    started_at, started_at + interval '1 hour', 3600, case when n % 5 > 0 then random() * 7200 end
from generate_series(1, {rows}) as n
cross join lateral (select timestamptz '2024-01-01 00:00+00' + n % {days} * interval '1 day' + random() * interval '1 day') as day (started_at);
reset session_replication_role;
analyze analytics.conversation_summaries;

-- conversation_summaries: one row per conversation with a message, merged from its session-days or its messages.
-- in:  keys: conversations
with subject as materialized (
    select
        conversation.id,
        coalesce(conversation.channel::text, 'unknown') as channel,
        owner.client_id,
        conversation.crew_id,
        conversation.session_id::text as session_id,
        conversation.project_id,
        conversation.lead_id,
        conversation.customer_id,
        case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at::timestamptz end as closed_at
    from app.conversations as conversation
    inner join keys on keys.conversation_id = conversation.id
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
),

sessions as (
    select
        subject.id,
        'histories' as source,
        sum(day.message_count)::bigint as message_count,
        sum(day.human_count)::bigint as inbound_count,
        sum(day.ai_count)::bigint as outbound_count,
        (sum(day.human_count) > 0)::int + (sum(day.ai_count) > 0)::int as participant_count,
        min(day.first_message_at) as started_at,
        max(day.last_message_at) as ended_at,
        min(day.first_human_at) as first_inbound_at,
        max(day.last_human_at) as last_inbound_at,
        max(day.last_ai_at) as last_outbound_at,
        array_agg(day.first_human_at) || array_agg(day.unanswered_since) as inbound_times,
        array_agg(day.first_ai_at) || array_agg(day.first_response_at) as outbound_times
    from subject
    inner join analytics.histories_sessions as day
        on day.crew_id = subject.crew_id and day.session_id = subject.session_id
    group by subject.id
),

participants as (
    select id, count(*) as participant_count
    from (
        select distinct subject.id, recipient.contact_method_id
        from subject
        inner join app.messages as message on message.conversation_id = subject.id
        inner join app.message_recipients as recipient on recipient.message_id = message.id
    ) as participant
    group by id
),

message_conversations as (
    select
        subject.id,
        count(*) as message_count,
        count(*) filter (where message.direction = 'inbound') as inbound_count,
        count(*) filter (where message.direction = 'outbound') as outbound_count,
        min(message.sent_at)::timestamptz as started_at,
        max(message.sent_at)::timestamptz as ended_at,
        (min(message.sent_at) filter (where message.direction = 'inbound'))::timestamptz as first_inbound_at,
        (max(message.sent_at) filter (where message.direction = 'inbound'))::timestamptz as last_inbound_at,
        (max(message.sent_at) filter (where message.direction = 'outbound'))::timestamptz as last_outbound_at,
        (array_agg(message.sent_at) filter (where message.direction = 'inbound'))::timestamptz[] as inbound_times,
        (array_agg(message.sent_at) filter (where message.direction = 'outbound'))::timestamptz[] as outbound_times
    from subject
    inner join app.messages as message on message.conversation_id = subject.id
    where analytics.is_usable_time(message.sent_at)
    group by subject.id
),

merged as (
    select * from sessions
    union all
    select
        id, 'messages', message_count, inbound_count, outbound_count, coalesce(participant_count, 0),
        started_at, ended_at, first_inbound_at, last_inbound_at, last_outbound_at, inbound_times, outbound_times
    from message_conversations
    left join participants using (id)
    where not exists (select from sessions where sessions.id = message_conversations.id)
)

select
    subject.id as conversation_id,
    merged.source,
    subject.channel,
    subject.client_id,
    subject.crew_id,
    subject.session_id,
    subject.project_id,
    subject.lead_id,
    subject.customer_id,
    merged.message_count,
    merged.inbound_count,
    merged.outbound_count,
    merged.participant_count,
    merged.started_at,
    merged.ended_at,
    extract(epoch from merged.ended_at - merged.started_at)::float8 as duration_seconds,
    answer.first_response_at,
    case merged.source
        when 'histories' then analytics.seconds_to_answer(merged.first_inbound_at, answer.first_response_at)
        else extract(epoch from answer.first_response_at - merged.first_inbound_at)::float8
    end as first_response_seconds,
    merged.last_inbound_at,
    merged.last_outbound_at,
    case
        when subject.closed_at is null and merged.last_inbound_at > coalesce(merged.last_outbound_at, '-infinity') then (
            select min(inbound_at) from unnest(merged.inbound_times) as inbound_at
            where inbound_at > coalesce(merged.last_outbound_at, '-infinity')
        )
    end as waiting_since,
    subject.closed_at
from merged
inner join subject on subject.id = merged.id
cross join lateral (
    select min(outbound_at) as first_response_at
    from unnest(merged.outbound_times) as outbound_at
    where outbound_at >= merged.first_inbound_at
) as answer;

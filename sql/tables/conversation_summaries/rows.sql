-- conversation_summaries: one row per conversation with a message, merged from its session-days or its messages.
-- in:  keys: conversations
-- out: different; one row: present (summaries before), odd (rows that are left out: kind, rows, example)
with subject as materialized (
    select
        conversation.id,
        conversation.channel,
        owner.client_id,
        conversation.crew_id,
        conversation.session_id,
        conversation.project_id,
        conversation.lead_id,
        conversation.customer_id,
        conversation.started_at,
        case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at end as closed_at,
        conversation.closed_at is null or analytics.is_usable_time(conversation.closed_at) as is_closed_usable
    from app.conversations as conversation
    inner join keys on keys.id = conversation.id
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
        min(message.sent_at) as started_at,
        max(message.sent_at) as ended_at,
        min(message.sent_at) filter (where message.direction = 'inbound') as first_inbound_at,
        array_agg(message.sent_at) filter (where message.direction = 'outbound') as outbound_times
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
        started_at, ended_at, first_inbound_at, outbound_times
    from message_conversations
    left join participants using (id)
    where not exists (select from sessions where sessions.id = message_conversations.id)
),

wanted as (
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
        (
            select extract(epoch from min(outbound_at) - first_inbound_at)::float8
            from unnest(outbound_times) as outbound_at
            where outbound_at >= first_inbound_at
        ) as first_response_seconds,
        subject.closed_at
    from merged
    inner join subject on subject.id = merged.id
),

present as (
    select
        conversation_id, source, channel, client_id, crew_id, session_id, project_id, lead_id, customer_id,
        message_count, inbound_count, outbound_count, participant_count, started_at, ended_at, duration_seconds,
        first_response_seconds, closed_at
    from analytics.conversation_summaries
    where conversation_id in (select id from keys)
),

compared as (
    insert into different (
        change, day, conversation_id, source, channel, client_id, crew_id, session_id, project_id, lead_id,
        customer_id, message_count, inbound_count, outbound_count, participant_count, started_at, ended_at, duration_seconds,
        first_response_seconds, closed_at
    )
    select
        case
            when present.conversation_id is null then 'inserted'
            when wanted.conversation_id is null then 'deleted'
            else 'updated'
        end,
        (coalesce(wanted.started_at, present.started_at) at time zone 'UTC')::date,
        conversation_id,
        wanted.source,
        wanted.channel,
        wanted.client_id,
        wanted.crew_id,
        wanted.session_id,
        wanted.project_id,
        wanted.lead_id,
        wanted.customer_id,
        wanted.message_count,
        wanted.inbound_count,
        wanted.outbound_count,
        wanted.participant_count,
        wanted.started_at,
        wanted.ended_at,
        wanted.duration_seconds,
        wanted.first_response_seconds,
        wanted.closed_at
    from wanted
    full join present using (conversation_id)
    where wanted is distinct from present
),

odd as (
    select 'messages without a usable sent_at' as kind, count(*) as rows, min(message.id::text) as example
    from subject
    inner join app.messages as message on message.conversation_id = subject.id
    where not analytics.is_usable_time(message.sent_at)
    union all
    select 'conversations without a usable started_at', count(*), min(id::text) from subject
    where not analytics.is_usable_time(started_at)
    union all
    select 'conversations without a usable closed_at', count(*), min(id::text) from subject
    where not is_closed_usable
)

select
    (select count(*) from present) as present,
    (select jsonb_agg(to_jsonb(odd)) from odd where rows > 0) as odd;

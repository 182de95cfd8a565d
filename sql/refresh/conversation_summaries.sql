-- conversation_summaries: one row per conversation with a message, merged from its session-days or its messages.
-- in:  keys: conversations
-- out: changed; one row: present (summaries before)
with subject as materialized (
    select
        conversation.id,
        conversation.channel,
        owner.client_id,
        conversation.crew_id,
        conversation.session_id,
        conversation.project_id,
        conversation.started_at,
        conversation.closed_at
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
        id,
        source,
        message_count,
        inbound_count,
        outbound_count,
        participant_count,
        started_at,
        ended_at,
        extract(epoch from ended_at - started_at)::float8 as duration_seconds,
        (
            select extract(epoch from min(outbound_at) - first_inbound_at)::float8
            from unnest(outbound_times) as outbound_at
            where outbound_at >= first_inbound_at
        ) as first_response_seconds
    from merged
),

different as materialized (
    select
        keys.id as conversation_id, wanted.source, subject.channel, subject.client_id, subject.crew_id,
        subject.session_id, subject.project_id, wanted.message_count, wanted.inbound_count, wanted.outbound_count,
        wanted.participant_count, wanted.started_at, wanted.ended_at, wanted.duration_seconds,
        wanted.first_response_seconds, subject.closed_at, subject.started_at as opened_at,
        present.conversation_id is null as is_new
    from keys
    left join subject on subject.id = keys.id
    left join wanted on wanted.id = keys.id
    left join analytics.conversation_summaries as present on present.conversation_id = keys.id
    where case
        when wanted.id is null or present.conversation_id is null
            then wanted.id is not null or present.conversation_id is not null
        else (
            wanted.source, subject.channel, subject.client_id, subject.crew_id, subject.session_id, subject.project_id,
            wanted.message_count, wanted.inbound_count, wanted.outbound_count, wanted.participant_count,
            wanted.started_at, wanted.ended_at, wanted.duration_seconds, wanted.first_response_seconds,
            subject.closed_at
        ) is distinct from (
            present.source, present.channel, present.client_id, present.crew_id, present.session_id,
            present.project_id, present.message_count, present.inbound_count, present.outbound_count,
            present.participant_count, present.started_at, present.ended_at, present.duration_seconds,
            present.first_response_seconds, present.closed_at
        )
    end
    order by keys.id  -- compared before the first insert: never with a table that grows meanwhile
),

saved as (
    insert into analytics.conversation_summaries as target (
        conversation_id, source, channel, client_id, crew_id, session_id, project_id, message_count, inbound_count,
        outbound_count, participant_count, started_at, ended_at, duration_seconds, first_response_seconds, closed_at
    )
    select
        conversation_id, source, channel, client_id, crew_id, session_id, project_id, message_count, inbound_count,
        outbound_count, participant_count, started_at, ended_at, duration_seconds, first_response_seconds, closed_at
    from different
    where source is not null
    on conflict (conversation_id) do update set
        source = excluded.source,
        channel = excluded.channel,
        client_id = excluded.client_id,
        crew_id = excluded.crew_id,
        session_id = excluded.session_id,
        project_id = excluded.project_id,
        message_count = excluded.message_count,
        inbound_count = excluded.inbound_count,
        outbound_count = excluded.outbound_count,
        participant_count = excluded.participant_count,
        started_at = excluded.started_at,
        ended_at = excluded.ended_at,
        duration_seconds = excluded.duration_seconds,
        first_response_seconds = excluded.first_response_seconds,
        closed_at = excluded.closed_at,
        refreshed_at = now()
),

removed as (
    delete from analytics.conversation_summaries as target
    using different
    where target.conversation_id = different.conversation_id and different.source is null
),

noted as (
    insert into changed (kind, day, id)
    select
        case when is_new then 'inserted' when source is null then 'deleted' else 'updated' end,
        (coalesce(started_at, opened_at) at time zone 'UTC')::date,
        conversation_id
    from different
)

select count(*) as present
from analytics.conversation_summaries
where conversation_id in (select id from keys);

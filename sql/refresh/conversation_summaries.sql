-- conversation_summaries: one row per conversation with a message, merged from its session-days or its messages.
-- in:  touched: conversations; %(crew_ids)s: only those of these crews, or null for all
-- out: one row: inserted, updated, deleted, unchanged
with changed as materialized (
    select conversation.*
    from app.conversations as conversation
    inner join touched on touched.id = conversation.id
    where %(crew_ids)s::uuid[] is null or conversation.crew_id = any(%(crew_ids)s::uuid[])
),

sessions as (
    select
        changed.id,
        'histories' as source,
        sum(day.message_count)::bigint as message_count,
        sum(day.human_count)::bigint as inbound_count,
        sum(day.ai_count)::bigint as outbound_count,
        (sum(day.human_count) > 0)::int + (sum(day.ai_count) > 0)::int as participant_count,
        min(day.first_message_at) as started_at,
        max(day.last_message_at) as ended_at,
        min(day.first_human_at) as first_inbound_at,
        array_agg(day.first_ai_at) || array_agg(day.first_response_at) as outbound_times
    from changed
    inner join analytics.histories_sessions as day
        on day.crew_id = changed.crew_id and day.session_id = changed.session_id
    group by changed.id
),

participants as (
    select id, count(*) as participant_count
    from (
        select distinct changed.id, recipient.contact_method_id
        from changed
        inner join app.messages as message on message.conversation_id = changed.id
        inner join app.message_recipients as recipient on recipient.message_id = message.id
    ) as participant
    group by id
),

message_conversations as (
    select
        changed.id,
        count(*) as message_count,
        count(*) filter (where message.direction = 'inbound') as inbound_count,
        count(*) filter (where message.direction = 'outbound') as outbound_count,
        min(message.sent_at) as started_at,
        max(message.sent_at) as ended_at,
        min(message.sent_at) filter (where message.direction = 'inbound') as first_inbound_at,
        array_agg(message.sent_at) filter (where message.direction = 'outbound') as outbound_times
    from changed
    inner join app.messages as message on message.conversation_id = changed.id
    group by changed.id
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
        changed.id as conversation_id, wanted.source, changed.channel, changed.client_id, changed.crew_id,
        changed.session_id, changed.project_id, wanted.message_count, wanted.inbound_count, wanted.outbound_count,
        wanted.participant_count, wanted.started_at, wanted.ended_at, wanted.duration_seconds,
        wanted.first_response_seconds, changed.closed_at
    from changed
    left join wanted on wanted.id = changed.id
    left join analytics.conversation_summaries as present on present.conversation_id = changed.id
    where case
        when wanted.id is null or present.conversation_id is null
            then wanted.id is not null or present.conversation_id is not null
        else present.refreshed_at = '-infinity' or (
            wanted.source, changed.channel, changed.client_id, changed.crew_id, changed.session_id, changed.project_id,
            wanted.message_count, wanted.inbound_count, wanted.outbound_count, wanted.participant_count,
            wanted.started_at, wanted.ended_at, wanted.duration_seconds, wanted.first_response_seconds,
            changed.closed_at
        ) is distinct from (
            present.source, present.channel, present.client_id, present.crew_id, present.session_id,
            present.project_id, present.message_count, present.inbound_count, present.outbound_count,
            present.participant_count, present.started_at, present.ended_at, present.duration_seconds,
            present.first_response_seconds, present.closed_at
        )
    end
    order by changed.id  -- compared before the first insert: never with a table that grows meanwhile
),

saved as (
    insert into analytics.conversation_summaries as target (
        conversation_id, source, channel, client_id, crew_id, session_id, project_id, message_count, inbound_count,
        outbound_count, participant_count, started_at, ended_at, duration_seconds, first_response_seconds, closed_at
    )
    select * from different
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
    returning target.xmax = 0 as is_new
),

removed as (
    delete from analytics.conversation_summaries as target
    using different
    where target.conversation_id = different.conversation_id and different.source is null
    returning 1
)

select
    (select count(*) from saved where is_new) as inserted,
    (select count(*) from saved where not is_new) as updated,
    (select count(*) from removed) as deleted,
    (
        select count(*) from changed
        where exists (select from wanted where wanted.id = changed.id)
    ) - (select count(*) from saved) as unchanged;

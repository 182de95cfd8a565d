-- What this project adds to the application's tables: when a conversation was closed, at most one open conversation per lead, and
-- the indexes that backfills and recency queries read by. Writers are not blocked: statements are separated by an empty line and
-- run on their own, indexes are built concurrently.
do $$
begin
    perform set_config('lock_timeout', '5s', true);
    if not exists (
        select from information_schema.columns
        where table_schema = 'app' and table_name = 'conversations' and column_name = 'closed_at'
    ) then
        alter table app.conversations add column closed_at timestamptz;
        comment on column app.conversations.closed_at is
        'When the conversation was closed; null while it is open. Added by convo_pipelines.';
    end if;
end
$$;

do $$
declare
    leads bigint;
    examples text;
begin
    select count(*), string_agg(format('lead %s: conversations %s', lead_id, conversations), E'\n' order by lead_id)
    into leads, examples
    from (
        select lead_id, string_agg(id::text, ', ' order by started_at desc, id) as conversations
        from app.conversations
        where closed_at is null and lead_id is not null
        group by lead_id
        having count(*) > 1
        order by lead_id
        limit 100
    ) as lead;
    if leads > 0 then
        raise exception '% leads have more than one open conversation', leads
        using
            detail = examples,
            hint = 'Close all but one of each, then run the migration again. To close all but the one that started '
            'last, where that is what you want: update app.conversations as c set closed_at = now() where closed_at '
            'is null and exists (select from app.conversations as later where later.lead_id = c.lead_id and '
            'later.closed_at is null and (later.started_at, later.id) > (c.started_at, c.id));';
    end if;
end
$$;

create unique index concurrently if not exists conversations_one_open_per_lead
on app.conversations (lead_id)
where closed_at is null;

create index concurrently if not exists conversations_started_at on app.conversations (started_at);

create index concurrently if not exists conversations_recency on app.conversations (customer_id, started_at desc);

create index concurrently if not exists messages_sent_at on app.messages (sent_at);

create index concurrently if not exists messages_recency on app.messages (conversation_id, created_at desc);

-- Raises where a column or an index is missing.
do $$
begin
    perform channel, crew_id, project_id, started_at, closed_at from analytics.clients_conversations where false;
    perform project_id, conversations, last_added_at from analytics.conversations_per_project where false;
    if (
        select count(*) from pg_indexes
        where schemaname = 'analytics' and indexname in (
            'clients_conversations_newest', 'clients_conversations_channel', 'clients_conversations_crew',
            'clients_conversations_project', 'clients_conversations_open', 'clients_conversations_closed',
            'conversation_summaries_lead', 'conversation_summaries_customer'
        )
    ) < 8 then
        raise exception 'an index of pages is missing';
    end if;
end
$$;

-- Raises where a role lacks what its work needs, or has more.
do $$
declare
    wrong text;
begin
    select string_agg(format('%s %s %s', role, case when granted then 'may' else 'may not' end, what), ', ')
    into wrong
    from (
        values
        ('convo_pipeline', 'own analytics', pg_has_role('convo_pipeline', (
            select nspowner from pg_namespace where nspname = 'analytics'
        ), 'member'), true),
        ('convo_pipeline', 'read app.messages', has_table_privilege('convo_pipeline', 'app.messages', 'select'), true),
        (
            'convo_pipeline', 'insert app.conversations.crew_id',
            has_column_privilege('convo_pipeline', 'app.conversations', 'crew_id', 'insert'), true
        ),
        (
            'convo_pipeline', 'change app.conversations',
            has_table_privilege('convo_pipeline', 'app.conversations', 'update, delete'), false
        ),
        (
            'convo_analyst', 'read analytics.people_conversations',
            has_table_privilege('convo_analyst', 'analytics.people_conversations', 'select'), true
        ),
        (
            'convo_analyst', 'write analytics.people_conversations',
            has_table_privilege('convo_analyst', 'analytics.people_conversations', 'insert, update, delete'), false
        ),
        ('convo_analyst', 'see schema app', has_schema_privilege('convo_analyst', 'app', 'usage'), false)
    ) as privileges (role, what, granted, wanted)
    where granted <> wanted;
    if wrong is not null then
        raise exception '%', wrong;
    end if;
end
$$;

-- Raises where a role lacks what its work needs, or has more.
do $$
declare
    wrong text;
begin
    select string_agg(format('%s %s %s', role, case when granted then 'may' else 'may not' end, what), ', ')
    into wrong
    from (
        values
        (
            'convo_steward', 'decide',
            has_column_privilege('convo_steward', 'curation.participant_decisions', 'contact_method_id', 'insert'), true
        ),
        (
            'convo_steward', 'revoke',
            has_column_privilege('convo_steward', 'curation.participant_decisions', 'revoked_at', 'update'), true
        ),
        (
            'convo_steward', 'delete decisions',
            has_table_privilege('convo_steward', 'curation.participant_decisions', 'delete'), false
        ),
        ('convo_steward', 'read names', has_table_privilege('convo_steward', 'analytics.person_names', 'select'), true),
        (
            'convo_observer', 'read counts',
            has_column_privilege('convo_observer', 'analytics.conversation_summaries', 'message_count', 'select'), true
        ),
        (
            'convo_observer', 'read session ids',
            has_column_privilege('convo_observer', 'analytics.conversation_summaries', 'session_id', 'select'), false
        ),
        (
            'convo_observer', 'read names',
            has_any_column_privilege('convo_observer', 'analytics.person_names', 'select'), false
        )
    ) as privileges (role, what, granted, wanted)
    where granted <> wanted;
    if wrong is not null then
        raise exception '%', wrong;
    end if;
end
$$;

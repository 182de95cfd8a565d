-- Raises where the rule, or what it reads, is missing.
do $$
begin
    perform id, contact_method_id, person_id, decision, reason, decided_by, decided_at, revoked_by, revoked_at
    from curation.participant_decisions where false;
    perform client_id from analytics.identifiers where false;
    perform is_decided from analytics.identifier_holders where false;
    perform is_narrowed from analytics.conversation_people where false;
    perform analytics.holder_of('ana@example.com', null);
    if (
        select count(*) from pg_trigger
        where tgrelid = 'curation.participant_decisions'::regclass and tgenabled = 'A' and tgname in (
            'convo_pipelines_insert', 'convo_pipelines_update', 'convo_pipelines_delete', 'convo_pipelines_truncate'
        )
    ) < 4 then
        raise exception 'decisions are not logged: a trigger is missing or not enabled always on curation.participant_decisions';
    end if;
end
$$;

-- What cannot be computed again of a client: archived session-days, tombstones, decisions, and when and by whom conversations
-- were added to projects.
-- in:  {client}: its id, as a literal
-- out: a JSON object per row: table, row
copy (
    select jsonb_build_object('table', 'histories_sessions', 'row', to_jsonb(day))
    from analytics.histories_sessions as day
    inner join app.crews as crew on crew.id = day.crew_id
    where crew.client_id = {client} and day.archived_at is not null
    union all
    select jsonb_build_object(
        'table', 'deleted_conversations',
        'row', jsonb_build_object('crew_id', crew_id, 'session_id', session_id, 'deleted_at', deleted_at)
    )
    from analytics.deleted_conversations
    inner join app.crews as crew on crew.id = crew_id
    where crew.client_id = {client}
    union all
    select jsonb_build_object('table', 'participant_decisions', 'row', to_jsonb(decided))
    from curation.participant_decisions as decided
    inner join app.people as person on person.id = decided.person_id
    where person.client_id = {client}
        and (
            decided.contact_method_id is null
            or exists (select from app.contact_methods as method where method.id = decided.contact_method_id)
        )
    union all
    select jsonb_build_object(
        'table', 'project_assignments',
        'row', jsonb_build_object(
            'conversation_id', link.conversation_id,
            'project_id', link.project_id,
            'changed_at', link.added_at,
            'actor', case link.added_by_is when 'actor' then link.added_by end
        )
    )
    from analytics.project_conversations as link
    inner join analytics.conversation_owners as owner using (conversation_id)
    where owner.client_id = {client}
) to stdout

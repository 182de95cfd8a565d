-- Drops the link tables and what they are refreshed by; `migrate up` and a backfill bring them back.
drop view analytics.missing_app_indexes, analytics.conversation_changes, analytics.identifier_places;
drop table
    analytics.project_link_inconsistencies, analytics.project_conversations, analytics.clients_conversations,
    analytics.people_conversations, analytics.session_resolutions, analytics.participant_resolutions,
    analytics.identifiers;
delete from analytics.refresh_watermarks
where asset_key in (
    'participant_resolutions', 'people_conversations', 'clients_conversations', 'project_conversations',
    'project_link_inconsistencies', 'reconcile'
);

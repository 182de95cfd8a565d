-- Today's definitions, in the order in which an empty database takes them: psql -f sql/schema/all.sql
-- Migrations bring a database to this state; tests prove that both give one catalog.
create schema app;
create schema analytics;
\ir app/touch_updated_at.sql
\ir app/clients.sql
\ir app/crews.sql
\ir app/people.sql
\ir app/contact_methods.sql
\ir app/users.sql
\ir app/projects.sql
\ir app/conversations.sql
\ir app/messages.sql
\ir app/message_recipients.sql
\ir analytics/schema.sql
\ir analytics/snapshots.sql
\ir analytics/usable_values.sql
\ir analytics/change_logs.sql
\ir analytics/log_triggers.sql
\ir analytics/capture.sql
\ir analytics/capture_state.sql
\ir analytics/catalog_state.sql
\ir analytics/refresh_state.sql
\ir analytics/trim_state.sql
\ir analytics/lock_parents.sql
\ir analytics/oddities.sql
\ir analytics/crew_discovery_state.sql
\ir analytics/conversation_owners.sql
\ir analytics/histories_sessions.sql
\ir analytics/deleted_conversations.sql
\ir analytics/conversation_summaries.sql
\ir analytics/conversation_days.sql
\ir analytics/crew_activity_daily.sql
\ir analytics/client_activity_daily.sql
\ir curation/participant_decisions.sql
\ir analytics/identifiers.sql
\ir analytics/matching.sql
\ir analytics/participant_resolutions.sql
\ir analytics/people_conversations.sql
\ir analytics/clients_conversations.sql
\ir analytics/project_conversations.sql
\ir analytics/project_link_inconsistencies.sql
\ir analytics/leads_and_customers.sql
\ir analytics/names.sql
\ir analytics/missing_app_indexes.sql
\ir analytics/alerts.sql
\ir analytics/webhook_refreshes.sql

-- The index on the arrays of projects, where the application still has these. Built concurrently.
create index concurrently if not exists projects_conversation_ids on app.projects using gin (conversation_ids);

-- Drops the indexes that 0005 created, each statement on its own.
drop index concurrently if exists app.people_updated_at;

drop index concurrently if exists app.contact_methods_updated_at;

drop index concurrently if exists app.projects_updated_at;

drop index concurrently if exists app.projects_conversation_ids;

-- The indexes on the application's tables that the ticks of the link tables read by.
-- Built concurrently; statements are separated by an empty line and run on their own.
create index concurrently if not exists people_updated_at on app.people (updated_at);

create index concurrently if not exists contact_methods_updated_at on app.contact_methods (updated_at);

create index concurrently if not exists projects_updated_at on app.projects (updated_at);

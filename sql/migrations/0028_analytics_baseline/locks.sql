-- The tables that foreign keys will refer to; their readers go on.
lock table app.clients, app.contact_methods, app.conversations, app.crews, app.people, app.projects, app.users
in share row exclusive mode nowait;

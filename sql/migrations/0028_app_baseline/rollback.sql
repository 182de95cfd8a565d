-- Drops the reference application schema's tables, histories tables excepted: those hold the crews' only copy.
drop table
    app.message_recipients, app.messages, app.conversations, app.projects, app.users,
    app.contact_methods, app.people, app.crews, app.clients;
drop function app.touch_updated_at;

-- Drops the indexes that 0003 created, each statement on its own.
drop index concurrently if exists app.conversations_updated_at;

drop index concurrently if exists app.conversations_started_at;

drop index concurrently if exists app.messages_updated_at;

drop index concurrently if exists app.messages_sent_at;

drop index concurrently if exists app.message_recipients_updated_at;

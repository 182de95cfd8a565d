-- The indexes on the application's tables that ticks (updated_at) and backfills (started_at, sent_at) read by.
-- Built concurrently; statements are separated by an empty line and run on their own.
create index concurrently if not exists conversations_updated_at on app.conversations (updated_at);

create index concurrently if not exists conversations_started_at on app.conversations (started_at);

create index concurrently if not exists messages_updated_at on app.messages (updated_at);

create index concurrently if not exists messages_sent_at on app.messages (sent_at);

create index concurrently if not exists message_recipients_updated_at on app.message_recipients (updated_at);

-- Whether projects still have arrays of conversations.
-- out: a row, if they have
select from pg_attribute
where attrelid = to_regclass('app.projects') and attname = 'conversation_ids' and not attisdropped;

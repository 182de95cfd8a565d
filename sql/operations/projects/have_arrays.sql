-- Whether app.projects still has the deprecated column conversation_ids.
-- out: one row: have_arrays
select count(*) > 0 as have_arrays
from pg_attribute
where attrelid = to_regclass('app.projects') and attname = 'conversation_ids';

-- Switches off the timeouts of the transaction: it waits for its turn, and then while files are written. transaction_timeout is
-- new in PostgreSQL 17.
select set_config(name, '0', true)
from pg_settings
where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout');

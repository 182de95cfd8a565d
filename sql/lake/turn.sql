-- Has no timeout end a transaction that waits for its turn, or waits while files are written. PostgreSQL 17 has one timeout more.
select set_config(name, '0', true)
from pg_settings
where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout');

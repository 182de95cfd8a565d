-- Whether the functions of a name depend on their arguments and on settings only: those that are immutable, and PostgreSQL's own
-- that are stable, but for clocks and what reads other rows.
-- in:  %(schema_name)s, %(name)s
-- out: one row: is_steady
select
    coalesce(
        bool_and(
            function.prokind = 'f'
            and (
                function.provolatile = 'i'
                or function.provolatile = 's'
                and schema.nspname = 'pg_catalog'
                and function.proname not in (
                    'now', 'statement_timestamp', 'transaction_timestamp', 'age', 'current_setting', 'query_to_xml',
                    'table_to_xml', 'cursor_to_xml', 'schema_to_xml', 'database_to_xml', 'inet_client_addr', 'inet_client_port'
                )
            )
        ),
        false
    ) as is_steady
from pg_proc as function
inner join pg_namespace as schema on schema.oid = function.pronamespace
where schema.nspname = %(schema_name)s and function.proname = %(name)s;

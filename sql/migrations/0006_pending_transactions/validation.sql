-- Raises where this role cannot see the transactions of others, which every role can.
do $$
begin
    perform virtualxid, application_name
    from pg_locks
    inner join pg_stat_activity using (pid)
    where locktype = 'virtualxid' and pid = pg_backend_pid();
    if not found then
        raise exception 'pg_locks does not show transactions';
    end if;
end
$$;

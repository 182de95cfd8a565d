-- Raises where a function is missing, or anybody may lock the application's rows.
do $$
begin
    perform 'analytics.is_usable_time(timestamptz)'::regprocedure, 'analytics.is_usable_session(text)'::regprocedure,
        'analytics.message_type(json)'::regprocedure, 'analytics.message_type(jsonb)'::regprocedure,
        'analytics.oddities'::regclass;
    if exists (
        select from pg_proc cross join lateral aclexplode(proacl) as granted
        where oid = 'analytics.lock_parents(text, uuid[])'::regprocedure and granted.grantee = 0
    ) then
        raise exception 'everybody may execute analytics.lock_parents';
    end if;
end
$$;

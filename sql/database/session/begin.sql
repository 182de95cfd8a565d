-- What a refresh relies on, whatever the server's, the role's or a pooler's defaults. With row_security off, a policy that
-- would hide rows of a source raises an error: a role that sees nothing must not delete everything derived from it.
-- Commits are not waited for: if the server crashes, what is lost is the end of what was done, the watermark first.
-- in:  %(timeout)s: milliseconds a statement may take; %(lock_timeout)s
select
    set_config('timezone', 'UTC', true),
    set_config('datestyle', 'ISO, YMD', true),
    set_config('intervalstyle', 'postgres', true),
    set_config('row_security', 'off', true),
    set_config('statement_timeout', %(timeout)s, true),
    set_config('lock_timeout', %(lock_timeout)s, true),
    set_config('synchronous_commit', 'off', true),
    set_config('jit', 'off', true),
    set_config('work_mem', '64MB', true),
    set_config('parallel_setup_cost', '10000', true);

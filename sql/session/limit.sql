-- From here on the application may have to wait for what the transaction locks, so its statements are given little time.
-- in:  %(timeout)s: milliseconds
select set_config('statement_timeout', %(timeout)s, true);

-- Whether the server has not crashed since a token was read.
-- in:  %(crash_token)s
-- out: one row: is_same
select exists(select from analytics.crash_token where token = %(crash_token)s) as is_same;

-- A time that Python, pandas and a calendar can hold: not infinity, not the year 20260.
create or replace function analytics.is_usable_time(at timestamptz) returns boolean
language sql immutable parallel safe
return coalesce(at >= '0001-01-02 00:00:00+00' and at < '9999-12-30 00:00:00+00', false);

-- A session id that fits the unique index of app.conversations, whatever its characters.
create or replace function analytics.is_usable_session(session_id text) returns boolean
language sql immutable parallel safe
return coalesce(octet_length(session_id) <= 2000, false);

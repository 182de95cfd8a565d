-- How long somebody waited for an answer; null if both were written within a quarter of a second, as n8n does: it stores the
-- question when it has the answer. Then the difference says nothing of how long that took.
create or replace function analytics.seconds_to_answer(asked_at timestamptz, answered_at timestamptz) returns float8
language sql immutable parallel safe
return case
    when answered_at - asked_at >= interval '0.25 seconds' then extract(epoch from answered_at - asked_at)::float8
end;
comment on function analytics.seconds_to_answer is
'Seconds from a question to its answer; null if both were written within a quarter of a second.';

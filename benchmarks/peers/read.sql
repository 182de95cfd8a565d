-- in: {summaries}
select count(*), avg(first_response_seconds) from {summaries} where started_at >= now() - interval '7 days';

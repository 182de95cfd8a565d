-- For tables that do not count the rows of their sources.
select null::jsonb

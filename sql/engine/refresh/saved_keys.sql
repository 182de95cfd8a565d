-- For tables whose rows nothing suppresses, changes or deletes when they are written.
select null::jsonb

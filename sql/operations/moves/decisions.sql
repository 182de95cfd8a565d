-- Adds the decisions that are not there, those in force last, as these may contradict former ones.
-- in:  moved
-- out: one row: rows
with written as (
    insert into curation.participant_decisions
    select decided.*
    from moved
    cross join lateral jsonb_populate_record(null::curation.participant_decisions, line -> 'row') as decided
    where line ->> 'table' = 'participant_decisions'
        and not exists (select from curation.participant_decisions as present where present.id = decided.id)
    order by decided.revoked_at is null, decided.decided_at
    returning 1
)

select count(*) as rows from written;

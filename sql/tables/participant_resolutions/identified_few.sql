-- Writes the identifiers of a few sources.
-- in:  {given}: the keys; {queries}: those that write; %(places)s: jsonb, the current spellings; %(normalized)s: jsonb, the
--      canonical forms of new ones
-- out: one row: touched (identifiers whose contact methods have to be resolved anew)
with keys as materialized (
{given}
),

places as materialized (
    select * from jsonb_to_recordset(%(places)s::jsonb) as place (
        source text, source_id uuid, kind text, value text, otherwise text, person_id uuid, client_id uuid
    )
),

normalized as materialized (
    select * from jsonb_to_recordset(%(normalized)s::jsonb) as normalized (kind text, value text, identifier text)
),

{queries}

select array_agg(identifier) as touched from touched;

-- Writes the identifiers of the sources.
-- in:  {queries}: those that write; keys; places; normalized
-- out: touched_identifiers; one row: identifiers (how many were different)
with {queries},

kept as (
    insert into touched_identifiers (identifier)
    select identifier from touched
)

select count(*) as identifiers from different;

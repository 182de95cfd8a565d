-- The identifiers whose contact methods have to be resolved anew.
-- in:  %(touched_identifiers)s
-- out: a query of a statement: touched_identifiers
touched_identifiers as materialized (
    select unnest(%(touched_identifiers)s::text[]) as identifier
)

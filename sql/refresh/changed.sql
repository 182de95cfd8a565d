-- What one refresh does to the rows of its table; gone with its transaction.
-- out: changed (kind: inserted, updated or deleted; day: a UTC day of activity; the key: id, or crew and session)
create temporary table changed (
    kind text not null,
    day date,
    id uuid,
    crew_id uuid,
    session_id text
) on commit drop;

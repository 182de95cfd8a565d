-- The canonical forms of the spellings that one refresh looks at; gone with its transaction.
create temporary table normalized (
    kind text not null,
    value text not null,
    identifier text
) on commit drop;

-- Stores how to make views of app again. Those of a release before stay, unless there is a view of that name again.
-- in:  %(names)s, %(statements)s: of each view, in the order in which they are made
-- out: released_views
with replaced as (
    delete from analytics.released_views
    where table_name = any(%(names)s::text[])
)

insert into analytics.released_views (number, table_name, statements)
select
    (select coalesce(max(number), 0) from analytics.released_views) + given.number,
    given.name,
    given.statements
from unnest(%(names)s::text[], %(statements)s::text[]) with ordinality as given (name, statements, number);

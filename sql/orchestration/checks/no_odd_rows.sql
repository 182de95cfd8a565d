-- The odd rows of a table, counted by kind.
-- in:  %(asset_key)s
-- out: crew (null if the table is not read per crew), kind, rows, example, remedy
select
    crew.crew_code as crew,
    oddity.kind,
    oddity.rows,
    oddity.example,
    oddity.remedy
from analytics.oddities as oddity
left join app.crews as crew on crew.id = oddity.crew_id
where oddity.asset_key = %(asset_key)s
order by crew.crew_code, oddity.kind;

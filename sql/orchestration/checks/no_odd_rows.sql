-- Rows of the application that are ignored, or read with a correction: counted by the last reconcile, plus those that ticks have
-- read since. The remedy is shown with each kind.
-- runs after every tick
-- severity: WARN
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

-- in:  %(asset_key)s
-- out: kinds of odd rows that the table met: crew (empty: not read per crew), kind, rows, example, remedy
select
    crew_code as crew,
    kind,
    rows,
    example,
    remedy
from analytics.oddities
where asset_key = %(asset_key)s
order by crew_code, kind;

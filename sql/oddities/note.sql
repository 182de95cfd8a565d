-- Notes the odd rows that a run met; where it read everything, what it did not meet is gone.
-- in:  %(asset_key)s; %(met)s: json array of crew_code, kind, rows, example, remedy; %(is_all)s: everything was read;
--      %(crew_codes)s: of these crews
with met as (
    select * from jsonb_to_recordset(%(met)s::jsonb)
    as met (crew_code text, kind text, rows bigint, example text, remedy text)
),

gone as (
    delete from analytics.oddities as known
    where %(is_all)s
        and known.asset_key = %(asset_key)s
        and known.crew_code = any(%(crew_codes)s::text[])
        and not exists (select from met where met.crew_code = known.crew_code and met.kind = known.kind)
)

insert into analytics.oddities as known (asset_key, crew_code, kind, rows, example, remedy)
select
    %(asset_key)s,
    crew_code,
    kind,
    rows,
    example,
    remedy
from met
order by crew_code, kind
on conflict (asset_key, crew_code, kind) do update set
    rows = case when %(is_all)s then excluded.rows else greatest(known.rows, excluded.rows) end,
    example = coalesce(excluded.example, known.example),
    remedy = excluded.remedy,
    last_seen_at = now();

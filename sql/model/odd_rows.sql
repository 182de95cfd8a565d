-- Stores the odd rows that a run found; if it read everything, deletes those that it did not find.
-- in:  %(asset_key)s; %(met)s: json array of part (the crew), kind, rows, example, remedy; %(is_all)s: everything was read;
--      %(parts)s: of these crews; null: the table is not read per crew
with met as (
    select * from jsonb_to_recordset(%(met)s::jsonb)
    as met (part uuid, kind text, rows bigint, example text, remedy text)
),

gone as (
    delete from analytics.oddities as known
    where %(is_all)s
        and known.asset_key = %(asset_key)s
        and (
            known.crew_id is null
            or known.crew_id = any(%(parts)s::uuid[])
            or known.crew_id not in (select crew_id from analytics.crew_discovery_state where is_discovered)
        )
        and not exists (select from met where met.part is not distinct from known.crew_id and met.kind = known.kind)
)

insert into analytics.oddities as known (asset_key, crew_id, kind, rows, example, remedy)
select
    %(asset_key)s,
    part,
    kind,
    rows,
    example,
    remedy
from met
order by part, kind
on conflict (asset_key, crew_id, kind) do update set
    rows = case when %(is_all)s then excluded.rows else greatest(known.rows, excluded.rows) end,
    example = coalesce(excluded.example, known.example),
    remedy = excluded.remedy,
    last_seen_at = now();

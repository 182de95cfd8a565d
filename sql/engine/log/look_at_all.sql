-- Whether anything was logged since a snapshot, and who holds and wants the leases. An idle look writes nothing.
-- in:  %(since)s: that snapshot, or null: nothing is looked for; %(own)s: transactions whose changes are known
-- out: one row, none before `renew_token`: to_snapshot, taken_at, crash_token; operations (`<source> <operation>`; null: none);
--      leases (jsonb, by table: holder, or null; is_wanted)
select
    pg_current_snapshot()::text as to_snapshot,
    clock_timestamp() as taken_at,
    token as crash_token,
    (
        select array_agg(distinct source || ' ' || operation) from analytics.changes
        where analytics.is_new(xid, %(since)s::pg_snapshot, null) and xid <> all(%(own)s::xid8[])
    ) as operations,
    (
        select
            jsonb_object_agg(
                asset_key,
                jsonb_build_object(
                    'holder', case when lease_until > clock_timestamp() then lease_holder end,
                    'is_wanted', coalesce(lease_wanted_until > clock_timestamp(), false)
                )
            )
        from analytics.refresh_state
    ) as leases
from analytics.crash_token;

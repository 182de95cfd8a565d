-- How far a standby is behind its primary.
-- out: one row: seconds, 0 if it has replayed all that it received; since its start if it has replayed no transaction yet;
--      null if it is no standby
select
    case
        when not pg_is_in_recovery() then null
        when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() and (select count(pid) from pg_stat_wal_receiver) > 0 then 0.0
        else extract(epoch from now() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))
    end::float8 as seconds;

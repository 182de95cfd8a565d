-- Creates a table's row of refresh_state, or updates what it follows.
-- in:  %(asset_key)s, %(follows)s
insert into analytics.refresh_state as state (asset_key, follows)
values (%(asset_key)s, %(follows)s::text[])
on conflict (asset_key) do update set
    follows = excluded.follows,
    written_by = pg_current_xact_id()
where state.follows <> excluded.follows;

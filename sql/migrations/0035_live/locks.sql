-- The tables that get columns, and names; the second has another name at a rollback.
lock table analytics.refresh_state in access exclusive mode nowait;
do $$
begin
    execute format(
        'lock table %s in access exclusive mode nowait',
        coalesce(to_regclass('analytics.webhook_refreshes'), to_regclass('analytics.live_refreshes'))
    );
end
$$;

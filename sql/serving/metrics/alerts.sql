-- Open alerts.
-- out: one row per source: source, alerts
select
    sources.source,
    count(alert.id) as alerts
from unnest(array['health', 'runs', 'checks']) as sources (source)
left join analytics.alerts as alert on alert.source = sources.source and alert.ended_at is null
group by sources.source;

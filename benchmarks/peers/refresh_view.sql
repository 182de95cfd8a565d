refresh materialized view concurrently peers.summaries;

"""The Dagster side: assets, checks, jobs, schedules, sensors, storage. Only here is Dagster imported."""

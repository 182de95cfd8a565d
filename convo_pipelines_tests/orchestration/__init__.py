"""Real runs, checks, schedules, sensors and storage of Dagster."""

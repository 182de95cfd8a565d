"""A real PostgreSQL; ticks run in the test, without Dagster."""

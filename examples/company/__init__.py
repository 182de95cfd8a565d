"""The Dagster project of a company that has tables of its own."""

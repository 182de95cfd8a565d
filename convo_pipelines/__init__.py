"""Sessions, conversation summaries and links, kept fresh in PostgreSQL by Dagster."""

"""Alembic's environment; the migrations themselves are in `sql/migrations/`."""

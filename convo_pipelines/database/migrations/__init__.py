"""The schemas of the database: `sql/schema/` defines them; `sql/migrations/` changes tables that are there already.

There are three lines: `app` (the application's schema; a reference for databases without one), `analytics` (ours) and
`roles` (optional). A new database is created from the definitions, and every migration is recorded as applied; in an
older database those that are missing are applied. Code is applied again when it changes. Each schema has its own
record, that of the roles is in `analytics`: dropping `analytics` also drops the record that it was created.
"""

-- Stores whether tables of analytics have foreign keys to app.
-- in:  %(is_wanted)s
update analytics.catalog_state
set
    has_foreign_keys = %(is_wanted)s,
    fingerprint = null;

-- in:  %(fingerprint)s: of the catalog, before it was looked at
update analytics.catalog_state
set
    fingerprint = %(fingerprint)s,
    seen_at = now();

-- in:  %(fingerprint)s: of the catalog and the crews, before they were looked at
update analytics.catalog_state
set
    fingerprint = %(fingerprint)s,
    seen_at = now();

-- Stores the fingerprint of a catalog that agrees with the stored state.
-- in:  %(fingerprint)s: of the catalog and the crews, before they were compared
update analytics.catalog_state
set
    fingerprint = %(fingerprint)s,
    seen_at = now();

-- Moves a crew's watermark, never past what is settled, and remembers the next candidate.
-- in:  %(crew_id)s, %(watermark_id)s; %(pending_id)s, %(pending_since)s, %(pending_transactions)s (null: nothing is
--      pending)
update analytics.crew_discovery_state
set
    watermark_id = %(watermark_id)s,
    pending_id = %(pending_id)s,
    pending_since = %(pending_since)s,
    pending_transactions = %(pending_transactions)s::text[]
where crew_id = %(crew_id)s::uuid;

-- in:  %(crew_id)s
-- out: one row: exists
select exists (select from app.crews where id = %(crew_id)s::uuid) as exists;

-- Locks projects against writes; skips those that are locked already.
-- in:  %(ids)s
-- out: id: the projects that were locked
select id from app.projects
where id = any(%(ids)s::uuid[])
order by id
for no key update skip locked;

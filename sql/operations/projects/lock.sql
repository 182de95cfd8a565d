-- Keeps others from writing to projects; those that somebody has locked are left out.
-- in:  %(ids)s
-- out: id: the projects that are locked now
select id from app.projects
where id = any(%(ids)s::uuid[])
order by id
for no key update skip locked;

-- in:  %(person_id)s
-- out: one row: is_left: whether the application still has the person, or a contact method of theirs
select
    exists (select from app.people where id = %(person_id)s::uuid)
    or exists (select from app.contact_methods where person_id = %(person_id)s::uuid) as is_left;

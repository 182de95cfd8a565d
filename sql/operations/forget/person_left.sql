-- Whether the application still has a person, or a contact method of the person.
-- in:  %(person_id)s
-- out: one row: is_left
select
    exists (select from app.people where id = %(person_id)s::uuid)
    or exists (select from app.contact_methods where person_id = %(person_id)s::uuid) as is_left;

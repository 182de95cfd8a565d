-- The contact methods of a person, and how each was resolved; certain ones first.
-- in:  %(person)s: id
-- out: the columns of analytics.person_contact_methods
select * from analytics.person_contact_methods
where person_id = %(person)s::uuid
order by confidence desc nulls last, kind, value, contact_method_id;

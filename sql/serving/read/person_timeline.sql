-- The conversations of a person.
-- in:  %(person)s: id
-- out: the columns of analytics.person_timeline
select * from analytics.person_timeline
where person_id = %(person)s::uuid
order by started_at, conversation_id;

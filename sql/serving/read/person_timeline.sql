-- The conversations of a person, with or without messages, the latest message first.
-- in:  %(person)s: id
-- out: the columns of analytics.person_timeline
select * from analytics.person_timeline
where person_id = %(person)s::uuid
order by coalesce(ended_at, started_at) desc, conversation_id;

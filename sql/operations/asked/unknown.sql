-- Named persons and conversations that the application does not have.
-- in:  %(asked_people)s, %(asked_conversations)s
-- out: one row per id: kind (person or conversation), id
select
    'person' as kind,
    id
from unnest(%(asked_people)s::uuid[]) as asked (id)
where not exists (select from app.people where people.id = asked.id)
union all
select
    'conversation',
    id
from unnest(%(asked_conversations)s::uuid[]) as asked (id)
where not exists (select from app.conversations where conversations.id = asked.id);

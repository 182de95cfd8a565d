-- Persons of a client who were in conversations with messages in an ISO week, and how unequally they were.
-- key = ["client_id", "week"]
-- day = "week"
-- week: Its Monday, in UTC.
-- messages_90: Nine of ten persons were in conversations with so many messages, or fewer.
-- busiest_share: The share of the busiest person in the messages, counted once for each person.
select
    client_id, week,
    count(distinct person_id) as persons, sum(messages)::bigint as messages,
    percentile_disc(0.9) within group (order by messages) as messages_90,
    round(max(messages / of_week), 3) as busiest_share
from (
    select
        person.client_id, link.person_id, date_trunc('week', message.sent_at at time zone 'UTC')::date as week,
        count(*) as messages,
        sum(count(*)) over (
            partition by person.client_id, date_trunc('week', message.sent_at at time zone 'UTC')::date
        ) as of_week
    from app.messages as message
    inner join analytics.people_conversations as link on link.conversation_id = message.conversation_id
    inner join app.people as person on person.id = link.person_id
    group by person.client_id, link.person_id, week
) as persons
group by client_id, week

-- Persons of a client who were in conversations with messages in an ISO week.
-- key = ["client_id", "week"]
-- by = "client_id"
-- day = "week"
-- cron = "0 * * * *"
-- week: Its Monday, in UTC.
-- more: So many persons more than in the client's week before that had any. It is why all weeks of a client are
-- computed together (by): a change in one changes the next one's row.
-- messages_90: Nine of ten persons were in conversations with so many messages, or fewer.
select
    client_id, week,
    count(distinct person_id) as persons,
    count(distinct person_id) - lag(count(distinct person_id)) over (partition by client_id order by week) as more,
    percentile_disc(0.9) within group (order by messages) as messages_90
from (
    select
        person.client_id, link.person_id, date_trunc('week', message.sent_at at time zone 'UTC')::date as week,
        count(*) as messages
    from app.messages as message
    inner join analytics.people_conversations as link on link.conversation_id = message.conversation_id
    inner join app.people as person on person.id = link.person_id
    group by person.client_id, link.person_id, week
) as persons
group by client_id, week

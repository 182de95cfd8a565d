-- name: schema
-- Tables of a user's own, beside those of the application.
create schema crm;
create type crm.stage as enum ('lead', 'offer', 'won');
create domain crm.region as varchar(5) check (value <> '');
create table app.reply_targets (client_id uuid primary key, minutes int not null);
create table app.satisfaction (
    id int primary key,
    conversation_id uuid references app.conversations on delete cascade,
    score numeric(3, 1),
    remark text,
    given_at timestamptz
);
create table crm.accounts (client_id uuid primary key, region crm.region, seats int, parent_id uuid);
create table crm.deals (
    id int primary key,
    client_id uuid,
    owner varchar(20),
    stage crm.stage not null,
    amount numeric(12, 2),
    opened_on date,
    tags text[] not null default '{}',
    details jsonb
);
create table crm.deal_conversations (
    deal_id int references crm.deals on delete cascade,
    conversation_id uuid references app.conversations on delete cascade,
    role text,
    primary key (deal_id, conversation_id)
);
create view crm.open_deals as
select id, client_id, owner, amount from crm.deals where stage <> 'won';
create view crm.client_scores as
select conversation.client_id, conversation.channel, satisfaction.score, satisfaction.given_at
from app.satisfaction as satisfaction
inner join app.conversations as conversation on conversation.id = satisfaction.conversation_id
where satisfaction.score is not null;
create view crm.scored_accounts as
select account.client_id, account.region, score.score
from crm.accounts as account
left join crm.client_scores as score on score.client_id = account.client_id;
create function crm.band(amount numeric) returns text language sql immutable
as $$ select case when amount < 100 then 'small' when amount < 1000 then 'middle' else 'large' end $$;
create function crm.clean(value text) returns text language sql immutable
as $$ select lower(trim(value)) $$;


-- name: reply_sla
-- Conversations that a customer began: answered within the target of their client, and when.
-- key = "conversation_id"
-- day = "asked_at"
select
    conversation.id as conversation_id,
    conversation.client_id,
    asked.asked_at,
    answered.answered_at,
    coalesce(answered.answered_at <= asked.asked_at + target.minutes * interval '1 minute', false) as is_in_time
from app.conversations as conversation
inner join app.reply_targets as target on target.client_id = conversation.client_id
cross join lateral (
    select min(sent_at) as asked_at from app.messages
    where conversation_id = conversation.id and direction = 'inbound'
) as asked
left join lateral (
    select min(sent_at) as answered_at from app.messages
    where conversation_id = conversation.id and direction = 'outbound' and sent_at > asked.asked_at
) as answered on true
where asked.asked_at is not null;


-- name: sla_by_client
-- Follows another table of one's own.
-- key = "client_id"
select client_id, count(*) as conversations, count(*) filter (where is_in_time) as in_time
from analytics.reply_sla
group by client_id;


-- name: scores_by_week
-- A key that is an expression, over a view.
-- key = ["client_id", "week"]
-- day = "week"
select
    client_id,
    date_trunc('week', given_at) as week,
    avg(score) as score,
    count(*) filter (where score < 5) as bad,
    count(distinct channel) as channels
from crm.client_scores
group by client_id, date_trunc('week', given_at);


-- name: score_percentiles
-- key = "client_id"
select
    client_id,
    percentile_cont(0.5) within group (order by score) as median,
    percentile_disc(array[0.1, 0.9]) within group (order by score) as tails,
    mode() within group (order by channel) as channel
from crm.client_scores
group by client_id;


-- name: scores_by_region
-- A view of a view, with an outer join; the key is of a domain.
-- key = "region"
select region, count(distinct client_id) as clients, count(score) as scores, min(score) as worst
from crm.scored_accounts
group by region;


-- name: last_messages
-- DISTINCT ON in full order.
-- key = "conversation_id"
select distinct on (message.conversation_id)
    message.conversation_id,
    message.id as message_id,
    message.direction,
    message.sent_at
from app.messages as message
order by message.conversation_id, message.sent_at desc, message.id;


-- name: conversation_numbers
-- The how manieth conversation of its client each is.
-- key = "conversation_id"
-- by = "client_id"
select
    id as conversation_id,
    client_id,
    row_number() over (partition by client_id order by started_at, id) as number,
    started_at - lag(started_at) over (partition by client_id order by started_at, id) as after
from app.conversations
where client_id is not null;


-- name: message_gaps
-- A window by name, and a frame.
-- key = "message_id"
-- by = "conversation_id"
select
    id as message_id,
    conversation_id,
    sent_at - lag(sent_at) over in_order as gap,
    count(*) filter (where direction = 'inbound') over (in_order rows between 2 preceding and current row) as recent,
    direction is distinct from lead(direction) over in_order as is_last_of_its_side
from app.messages
window in_order as (partition by conversation_id order by sent_at, id);


-- name: unanswered
-- NOT EXISTS.
-- key = "conversation_id"
select conversation.id as conversation_id, conversation.subject
from app.conversations as conversation
where exists (select from app.messages where conversation_id = conversation.id and direction = 'inbound')
    and not exists (select from app.messages where conversation_id = conversation.id and direction = 'outbound');


-- name: clients_without_deals
-- An outer join of which only the missing rows stay.
-- key = "client_id"
select client.id as client_id, client.client_code, client.is_active
from app.clients as client
left join crm.deals as deal on deal.client_id = client.id and deal.stage in ('offer', 'won')
where deal.id is null;


-- name: owners
-- A text as a key, which may be null.
-- key = "owner"
select owner, count(*) as deals, sum(amount) as amount, max(amount) as largest
from crm.open_deals
group by owner;


-- name: stages
-- An enum and an array, in order.
-- key = ["client_id", "stage"]
select client_id, stage, array_agg(id order by amount desc nulls last, id) as deals
from crm.deals
group by client_id, stage;


-- name: deal_sources
-- A key out of jsonb.
-- key = "source"
select details ->> 'source' as source, count(*) as deals, bool_or(details ? 'rival') as has_rival
from crm.deals
group by details ->> 'source';


-- name: deal_details
-- jsonb of rows.
-- key = "client_id"
select
    client_id,
    jsonb_object_agg(id, details order by id) as details,
    jsonb_agg(jsonb_build_object('id', id, 'tags', tags) order by id) as tags
from crm.deals
where client_id is not null
group by client_id;


-- name: addresses
-- A union of two tables.
-- key = ["person_id", "address"]
select id as person_id, crm.clean(email) as address from app.people where email is not null
union
select person_id, crm.clean(value) from app.contact_methods where kind = 'email';


-- name: events_by_day
-- UNION ALL, grouped; a day as a key.
-- key = ["client_id", "day"]
-- day = "day"
select client_id, day, sum(messages)::int as messages, sum(deals)::int as deals
from (
    select conversation.client_id, (message.sent_at at time zone 'UTC')::date as day, 1 as messages, 0 as deals
    from app.messages as message
    inner join app.conversations as conversation on conversation.id = message.conversation_id
    union all
    select client_id, opened_on, 0, 1 from crm.deals
) as event
group by client_id, day;


-- name: silent_clients
-- EXCEPT.
-- key = "client_id"
select client_id from crm.accounts
except
select client_id from app.conversations;


-- name: customers_in_both
-- INTERSECT.
-- key = "client_id"
select client_id from crm.deals where stage = 'won'
intersect
select client_id from app.conversations where channel = 'email';


-- name: busy_clients
-- CTEs that read each other.
-- key = "client_id"
with talks as (
    select conversation.client_id, conversation.id, count(message.id) as messages
    from app.conversations as conversation
    left join app.messages as message on message.conversation_id = conversation.id
    group by conversation.id
),

totals as (
    select client_id, count(*) as talks, max(messages) as longest from talks group by client_id
)

select total.client_id, total.talks, total.longest, coalesce(target.minutes, 60) as minutes
from totals as total
left join app.reply_targets as target using (client_id)
where total.talks > 1;


-- name: summaries_by_month
-- Over a derived table of the pipeline.
-- key = ["client_id", "channel", "month"]
select
    client_id,
    channel,
    date_trunc('month', started_at) as month,
    count(*) as conversations,
    sum(message_count) as messages,
    count(first_response_seconds) as answered
from analytics.conversation_summaries
group by 1, 2, 3;


-- name: scored_summaries
-- A derived table with one of a user's own.
-- key = "conversation_id"
select
    summary.conversation_id,
    summary.message_count,
    given.score,
    given.scores
from analytics.conversation_summaries as summary
inner join (
    select conversation_id, avg(score) as score, count(*) as scores from app.satisfaction group by conversation_id
) as given using (conversation_id);


-- name: conversations_of_people
-- Over the links.
-- key = "person_id"
select
    link.person_id,
    count(*) as conversations,
    count(*) filter (where conversation.channel = 'email') as by_email,
    max(conversation.started_at) as last_started_at
from analytics.people_conversations as link
inner join app.conversations as conversation on conversation.id = link.conversation_id
group by link.person_id;


-- name: sessions_by_day
-- Over sessions, which have a key of three columns.
-- key = ["crew_id", "activity_date"]
-- day = "activity_date"
select crew_id, activity_date, count(*) as sessions, sum(message_count)::int as messages
from analytics.histories_sessions
group by crew_id, activity_date;


-- name: people_and_scores
-- Correlated subqueries.
-- key = "person_id"
select
    person.id as person_id,
    (select count(*) from app.contact_methods as method where method.person_id = person.id) as methods,
    (
        select avg(given.score)
        from app.satisfaction as given
        inner join analytics.people_conversations as link on link.conversation_id = given.conversation_id
        where link.person_id = person.id
    ) as score
from app.people as person;


-- name: channels
-- A key that is a CASE.
-- key = "kind"
select
    case when channel in ('whatsapp', 'chat') then 'short' when channel = 'email' then 'long' else channel end as kind,
    count(*) as conversations,
    count(distinct client_id) as clients
from app.conversations
group by 1;


-- name: owned_conversations
-- A key that is a COALESCE over an outer join.
-- key = "client_id"
select coalesce(conversation.client_id, crew.client_id) as client_id, count(*) as conversations
from app.conversations as conversation
left join app.crews as crew on crew.id = conversation.crew_id
group by 1;


-- name: running_amounts
-- A sum that runs, in full order.
-- key = "deal_id"
-- by = "client_id"
select
    id as deal_id,
    client_id,
    sum(amount) over (partition by client_id order by opened_on, id rows unbounded preceding) as so_far,
    amount / nullif(sum(amount) over (partition by client_id), 0) as share,
    rank() over (partition by client_id order by amount desc) as place
from crm.deals
where client_id is not null;


-- name: frequent_speakers
-- HAVING, with a subquery.
-- key = "contact_method_id"
select recipient.contact_method_id, count(*) as messages, bool_and(recipient.role = 'to') as is_only_to
from app.message_recipients as recipient
group by recipient.contact_method_id
having count(*) >= (select count(*) from app.contact_methods as method where method.id = recipient.contact_method_id);


-- name: people_who_meet
-- A join of a table with itself; two columns of the key come from two rows.
-- key = ["one_id", "other_id"]
select one.person_id as one_id, other.person_id as other_id, count(*) as conversations
from analytics.people_conversations as one
inner join analytics.people_conversations as other
    on other.conversation_id = one.conversation_id and one.person_id < other.person_id
group by one.person_id, other.person_id;


-- name: balances
-- A full join of two aggregates.
-- key = "client_id"
select
    coalesce(deals.client_id, talks.client_id) as client_id,
    coalesce(deals.amount, 0) as amount,
    coalesce(talks.conversations, 0) as conversations
from (select client_id, sum(amount) as amount from crm.deals group by client_id) as deals
full join (
    select client_id, count(*) as conversations from app.conversations group by client_id
) as talks on talks.client_id = deals.client_id;


-- name: targets_of_all
-- A right join.
-- key = "client_id"
select client.id as client_id, client.client_code, target.minutes
from app.reply_targets as target
right join app.clients as client on client.id = target.client_id and client.is_active;


-- name: bands
-- A function of a user's own as a key.
-- key = ["band", "region"]
select crm.band(deal.amount) as band, account.region, count(*) as deals
from crm.deals as deal
inner join crm.accounts as account on account.client_id = deal.client_id
group by crm.band(deal.amount), account.region;


-- name: remarks
-- Texts in order.
-- key = "conversation_id"
select
    conversation_id,
    string_agg(remark, '; ' order by given_at, id) filter (where remark <> '') as remarks,
    string_agg(distinct remark, ', ') as different
from app.satisfaction
group by conversation_id;


-- name: latest_messages
-- The last two messages of each conversation: a lateral subquery with a limit.
-- key = ["conversation_id", "message_id"]
-- by = "conversation_id"
select conversation.id as conversation_id, latest.id as message_id, latest.sent_at
from app.conversations as conversation
cross join lateral (
    select message.id, message.sent_at from app.messages as message
    where message.conversation_id = conversation.id
    order by message.sent_at desc, message.id
    limit 2
) as latest;


-- name: deal_talks
-- A table whose key has two columns, and whose rows foreign keys delete.
-- key = "deal_id"
select link.deal_id, count(*) as conversations, count(message.id) as messages, max(message.sent_at) as last_sent_at
from crm.deal_conversations as link
left join app.messages as message on message.conversation_id = link.conversation_id
group by link.deal_id;


-- name: roles
-- Three columns of a key, out of three tables.
-- key = ["stage", "channel", "role"]
select deal.stage, conversation.channel, coalesce(link.role, 'none') as role, count(*) as conversations
from crm.deal_conversations as link
inner join crm.deals as deal on deal.id = link.deal_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
group by deal.stage, conversation.channel, coalesce(link.role, 'none');


-- name: amounts
-- A numeric key.
-- key = "amount"
select amount, count(*) as deals, min(opened_on) as first_opened_on
from crm.deals
group by amount;


-- name: important
-- IN with subqueries, beneath OR.
-- key = "conversation_id"
select conversation.id as conversation_id, conversation.started_at
from app.conversations as conversation
where conversation.id in (select conversation_id from crm.deal_conversations where role = 'main')
    or conversation.client_id in (select client_id from crm.accounts where seats > 2);


-- name: replies
-- A join of ranges: each message with the number of earlier ones of the other side.
-- key = "message_id"
select message.id as message_id, count(earlier.id) as earlier, max(earlier.sent_at) as last_sent_at
from app.messages as message
left join app.messages as earlier
    on earlier.conversation_id = message.conversation_id
    and earlier.direction <> message.direction
    and (earlier.sent_at, earlier.id) < (message.sent_at, message.id)
group by message.id;


-- name: crew_scores
-- Tables of the pipeline, the application and a user's own in one.
-- key = ["crew_id", "session_id"]
select session.crew_id, session.session_id, max(crew.name) as crew, sum(session.message_count)::int as messages,
    max(given.score) as best
from analytics.histories_sessions as session
inner join app.crews as crew on crew.id = session.crew_id
left join app.conversations as conversation
    on conversation.crew_id = session.crew_id and conversation.session_id = session.session_id
left join app.satisfaction as given on given.conversation_id = conversation.id
group by session.crew_id, session.session_id;


-- name: places_of_all
-- refused: places_of_all/rows.sql: a row of app.satisfaction does not lead to conversation_id: .* declare the columns
-- A rank over everything: each row decides about all others.
-- key = "conversation_id"
select conversation_id, rank() over (order by avg(score) desc, conversation_id) as place
from app.satisfaction
group by conversation_id;


-- name: shares_of_all
-- refused: shares_of_all/rows.sql: a row of crm.deals does not lead to deal_id: .* by = 
-- A share of the total.
-- key = "deal_id"
select id as deal_id, amount / nullif(sum(amount) over (), 0) as share
from crm.deals;


-- name: tags
-- refused: tags/rows.sql: a row of crm.deals does not lead to tag
-- A key out of an array.
-- key = "tag"
select tag, count(*) as deals
from crm.deals
cross join unnest(tags) as tag
group by tag;


-- name: groups_of_accounts
-- refused: groups_of_accounts/rows.sql: WITH RECURSIVE is not supported
-- A tree.
-- key = "client_id"
with recursive tree as (
    select client_id, client_id as root_id from crm.accounts where parent_id is null
    union all
    select account.client_id, tree.root_id
    from crm.accounts as account
    inner join tree on tree.client_id = account.parent_id
)

select client_id, root_id from tree;


-- name: young_deals
-- refused: young_deals/rows.sql:\d+: current_date is not deterministic
-- What the clock decides.
-- key = "deal_id"
select id as deal_id, current_date - opened_on as days
from crm.deals;

create table analytics.crew_activity_daily (
    crew_id uuid not null references app.crews on delete cascade,
    activity_date date not null,
    crew_code text not null,
    crew_name text not null,
    client_id uuid not null,
    sessions bigint not null,
    messages bigint not null,
    human_messages bigint not null,
    ai_messages bigint not null,
    first_response_median_seconds float8,
    refreshed_at timestamptz not null default now(),
    primary key (crew_id, activity_date)
);
create index crew_activity_daily_activity_date on analytics.crew_activity_daily (activity_date);

comment on table analytics.crew_activity_daily is
'Activity of each crew by UTC day: one row per crew and day with messages.';
comment on column analytics.crew_activity_daily.crew_id is 'The crew.';
comment on column analytics.crew_activity_daily.activity_date is 'UTC day.';
comment on column analytics.crew_activity_daily.crew_code is 'The crew''s code.';
comment on column analytics.crew_activity_daily.crew_name is 'The crew''s name.';
comment on column analytics.crew_activity_daily.client_id is 'The crew''s current client.';
comment on column analytics.crew_activity_daily.sessions is 'Sessions with a message on that day.';
comment on column analytics.crew_activity_daily.messages is 'Messages of any type.';
comment on column analytics.crew_activity_daily.human_messages is 'Messages of type human.';
comment on column analytics.crew_activity_daily.ai_messages is 'Messages of type ai.';
comment on column analytics.crew_activity_daily.first_response_median_seconds is
'Exact median seconds from a session''s first human message of the day to the first ai message after it; null if none '
'was answered.';
comment on column analytics.crew_activity_daily.refreshed_at is 'Start of the transaction that last wrote this row.';

create or replace view analytics.busiest_crews as
select
    rank() over (order by sum(day.message_count) desc) as place,
    day.crew_id,
    crew.crew_code::text,
    crew.name::text as crew_name,
    crew.client_id,
    count(distinct day.session_id) as sessions,
    sum(day.message_count)::bigint as messages
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
where day.activity_date >= (now() at time zone 'UTC')::date - 30
group by day.crew_id, crew.crew_code, crew.name, crew.client_id;

comment on view analytics.busiest_crews is
'The crews with most messages in the last 30 UTC days and today, in that order.';
comment on column analytics.busiest_crews.place is 'Rank by messages, from 1; crews with equal counts share a rank.';
comment on column analytics.busiest_crews.crew_id is 'The crew.';
comment on column analytics.busiest_crews.crew_code is 'The crew''s code.';
comment on column analytics.busiest_crews.crew_name is 'The crew''s name.';
comment on column analytics.busiest_crews.client_id is 'The crew''s current client.';
comment on column analytics.busiest_crews.sessions is 'Sessions with a message in that time.';
comment on column analytics.busiest_crews.messages is 'Messages of any type in that time.';

-- What each crew did is a view over all session-days again.
drop table analytics.crew_activity_daily;
delete from analytics.refresh_state where asset_key = 'crew_activity_daily';
delete from analytics.conversation_changes where source = 'crew_activity_daily again';

create view analytics.crew_activity_daily as
select
    day.crew_id,
    crew.crew_code,
    crew.name as crew_name,
    crew.client_id,
    day.activity_date,
    count(*) as sessions,
    sum(day.message_count)::bigint as messages,
    sum(day.human_count)::bigint as human_messages,
    sum(day.ai_count)::bigint as ai_messages,
    percentile_cont(0.5) within group (
        order by extract(epoch from day.first_response_at - day.first_human_at)::float8
    ) as first_response_median_seconds
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
group by day.crew_id, crew.crew_code, crew.name, crew.client_id, day.activity_date;

comment on view analytics.crew_activity_daily is
'What each crew did on each UTC day: one row per crew and day with messages.';
comment on column analytics.crew_activity_daily.crew_id is 'The crew.';
comment on column analytics.crew_activity_daily.crew_code is 'The crew''s code.';
comment on column analytics.crew_activity_daily.crew_name is 'The crew''s name.';
comment on column analytics.crew_activity_daily.client_id is 'The crew''s client now.';
comment on column analytics.crew_activity_daily.activity_date is 'UTC day.';
comment on column analytics.crew_activity_daily.sessions is 'Sessions with a message on that day.';
comment on column analytics.crew_activity_daily.messages is 'Messages of any type.';
comment on column analytics.crew_activity_daily.human_messages is 'Messages of type human.';
comment on column analytics.crew_activity_daily.ai_messages is 'Messages of type ai.';
comment on column analytics.crew_activity_daily.first_response_median_seconds is
'Median seconds from a session''s first human message of the day to the first ai message after it.';

create table analytics.unjudged_moves (
    crew_id uuid not null,
    session_id text not null,
    activity_date date not null,
    primary key (crew_id, session_id, activity_date)
);

comment on table analytics.unjudged_moves is
'Session-days that lost rows to another session or day while it was not known which rows of the crew''s table were '
'pruned: they are not archive because they count fewer rows. Kept until the whole table has been read. Internal.';
comment on column analytics.unjudged_moves.crew_id is 'The crew, whose pruned_at is set.';
comment on column analytics.unjudged_moves.session_id is 'The session. Personal data.';
comment on column analytics.unjudged_moves.activity_date is 'The UTC day.';

-- The table that the hourly script fills, and when it last ran.
create schema peers;

create table peers.summaries (
    crew_id uuid,
    session_id text,
    message_count bigint not null,
    inbound_count bigint not null,
    outbound_count bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    duration_seconds double precision not null,
    first_response_seconds double precision,
    primary key (crew_id, session_id)
);

create table peers.last_run as select '-infinity'::timestamptz as at;

-- Nothing is kept by conversation and day, and the log tells of conversations and sessions only.
drop table analytics.conversation_days;
delete from analytics.refresh_state where asset_key = 'conversation_days';

do $$
begin
    execute replace(
        replace(
            pg_get_functiondef('analytics.source_tables(text)'::regprocedure),
            '(''clients'', ''log_identifiers''), ', ''
        ),
        '''clients'', ''crews'', ''people'', ''contact_methods'', ''conversations'',',
        '''crews'', ''people'', ''contact_methods'', ''conversations'','
    );
    perform analytics.drop_triggers('app.clients');
    delete from analytics.capture_state where table_name = 'clients';
end
$$;

create or replace view analytics.changes as
select 'histories' as source, xid, logged_at, operation, operation in ('everything', 'truncate') as is_everything
from analytics.session_changes
union all
select source, xid, logged_at, operation, conversation_id is null and crew_id is null
from analytics.conversation_changes
union all
select 'message_recipients', xid, logged_at, operation, message_id is null
from analytics.message_changes
union all
select source, xid, logged_at, operation, id is null
from analytics.identifier_changes
union all
select 'projects', xid, logged_at, operation, project_id is null
from analytics.project_changes;

delete from analytics.conversation_changes
where client_id is not null or source in ('conversation_summaries', 'conversation_days again');
alter table analytics.conversation_changes
drop column client_id,
drop column activity_date;

comment on column analytics.conversation_changes.conversation_id is
'The conversation; null with a crew_id: that of a session; null without: everything of the source.';
comment on column analytics.conversation_changes.crew_id is 'The crew, of a crew''s conversation or session.';

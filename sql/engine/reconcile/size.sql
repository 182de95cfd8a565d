-- The number of keys to compare, without those of the histories tables.
-- out: one row: keys
select (
    4 * (select count(*) from app.conversations)
    + (select count(*) from analytics.conversation_summaries)
    + (select count(*) from (select from analytics.histories_sessions group by crew_id, session_id) as session)
    + (select count(*) from analytics.crew_activity_daily)
    + (select count(*) from analytics.client_activity_daily)
    + (select count(*) from app.people)
    + (select count(*) from app.contact_methods)
    + (select count(*) from app.conversations where crew_id is not null)
    + (select count(*) from app.projects)
) as keys;

-- out: the number of rows of every table that analysts read
select 'histories_sessions' as table, count(*) as rows from analytics.histories_sessions
union all
select 'conversation_summaries', count(*) from analytics.conversation_summaries
union all
select 'participant_resolutions', count(*) from analytics.participant_resolutions
union all
select 'people_conversations', count(*) from analytics.people_conversations
union all
select 'clients_conversations', count(*) from analytics.clients_conversations
union all
select 'project_conversations', count(*) from analytics.project_conversations;

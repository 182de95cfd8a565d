-- name: client
-- out: name (the code of each client)
select client_code as name from analytics.client_names
order by client_code;


-- name: crew
-- out: name (the code of each crew)
select crew_code as name from analytics.crew_names
order by crew_code;


-- name: channel
-- out: name (of each channel with conversations)
select distinct channel as name from analytics.clients_conversations
order by channel;

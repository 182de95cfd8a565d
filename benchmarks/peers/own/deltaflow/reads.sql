-- What readers see: the tables that Deltaflow keeps, and what it cannot compute from their rows.
create schema peers;
create view peers.tool_calls as table parts.tool_calls;
create view peers.crew_handovers as
select
    conversation_id, crew_id, client_id, taken_over_at, messages,
    taken_over_at - started_at as waited, last_message_at > taken_over_at as goes_on
from parts.crew_handovers;

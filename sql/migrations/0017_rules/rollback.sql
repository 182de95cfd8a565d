-- The rules stand in the statements that follow them.
drop view analytics.conversation_clients;
drop view analytics.conversation_people;
drop view analytics.identifier_holders;
drop function analytics.confidence_of(text);

-- in: nothing; keeps the view over all histories
truncate plain.histories_sessions, plain.conversations, plain.conversation_summaries;
vacuum;

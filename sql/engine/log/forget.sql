-- Empties a log.
-- in:  {log}
delete from {log};

-- Which rows are written where none is ever changed: those that are missing.
-- in:  {first_key}
present.{first_key} is null

-- Which rows are written, in insert-only tables: those that are missing.
-- in:  {first_key}
present.{first_key} is null

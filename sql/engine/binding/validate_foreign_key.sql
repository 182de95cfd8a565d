-- Validates a foreign key, once no row violates it; writers go on meanwhile.
-- in:  {child}, {name}
alter table {child} validate constraint {name};

-- Notes an index that is dropped until its table is built.
-- in:  %(table_name)s, %(name)s, %(definition)s
insert into analytics.deferred_indexes (table_name, name, definition)
values (%(table_name)s, %(name)s, %(definition)s)
on conflict (name) do nothing;

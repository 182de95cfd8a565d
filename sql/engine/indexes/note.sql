-- Notes an index that is dropped until its table is built.
-- in:  %(table_name)s, %(index_name)s, %(definition)s
insert into analytics.deferred_indexes (table_name, index_name, definition)
values (%(table_name)s, %(index_name)s, %(definition)s)
on conflict (index_name) do nothing;

-- Forgets an index that has been made again.
-- in:  %(name)s
delete from analytics.deferred_indexes
where name = %(name)s;

-- Forgets an index that has been made again.
-- in:  %(index_name)s
delete from analytics.deferred_indexes
where index_name = %(index_name)s;

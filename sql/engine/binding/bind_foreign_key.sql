-- Drops a foreign key that is not right, and adds it where it is wanted, not yet valid.
-- in:  %(name)s
select analytics.bind_foreign_key(%(name)s);

-- The definition of an object that was applied.
-- in:  {code}: the table that records it; %(name)s: the kind and the name
-- out: checksum
select checksum from {code}
where name = %(name)s;

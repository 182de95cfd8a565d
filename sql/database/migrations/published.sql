-- The members of publications.
-- out: member
select pg_describe_object('pg_publication_rel'::regclass, oid, 0) as member from pg_publication_rel;

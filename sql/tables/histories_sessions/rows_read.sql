-- How many messages were read.
-- in:  computed: the rows there should be, with found_count
select coalesce(sum(found_count), 0)::bigint from computed;

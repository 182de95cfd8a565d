-- The number of messages that were read.
-- in:  computed: the rows that there should be, with found_count
select coalesce(sum(found_count), 0)::bigint from computed;

-- The number of messages that were read, by crew.
-- in:  computed: the rows that there should be, with found_count
select jsonb_object_agg(crew_id, messages) from (
    select
        crew_id,
        coalesce(sum(found_count), 0) as messages
    from computed
    group by crew_id
) as read

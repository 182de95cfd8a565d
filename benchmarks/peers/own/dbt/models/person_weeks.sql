-- The newest week and the one before it; the window needs all weeks.
{{ config(unique_key=['client_id', 'week'], indexes=[{'columns': ['client_id', 'week'], 'unique': true}]) }}

select * from (
    select
        client_id, week,
        count(distinct person_id) as persons,
        count(distinct person_id) - lag(count(distinct person_id)) over (partition by client_id order by week) as more,
        percentile_disc(0.9) within group (order by messages) as messages_90
    from (
        select
            person.client_id, link.person_id, date_trunc('week', message.sent_at at time zone 'UTC')::date as week,
            count(*) as messages
        from {{ source('app', 'messages') }} as message
        inner join {{ source('analytics', 'people_conversations') }} as link
            on link.conversation_id = message.conversation_id
        inner join {{ source('app', 'people') }} as person on person.id = link.person_id
        group by person.client_id, link.person_id, week
    ) as persons
    group by client_id, week
) as weeks
{% if is_incremental() %}
where week >= (select max(week) - 7 from {{ this }})
{% endif %}

-- app.tool_messages has no updated_at: the days since the newest, less three.
{{ config(
    unique_key=['crew_id', 'tool', 'called_on'],
    indexes=[{'columns': ['crew_id', 'tool', 'called_on'], 'unique': true}]
) }}

select
    crew_id, tool, (called_at at time zone 'UTC')::date as called_on,
    count(*) as calls, count(distinct session_id) as sessions, max(called_at) as last_called_at
from {{ source('app', 'tool_messages') }}
{% if is_incremental() %}
where (called_at at time zone 'UTC')::date >= (select max(called_on) - 3 from {{ this }})
{% endif %}
group by crew_id, tool, called_on

{# Conversations with a row that changed since the newest of the table itself, less three days: dbt's guide to incremental models. #}
{% macro changed_conversations() %}
{% set since %}(select coalesce(max(updated_at) - interval '3 days', '1900-01-01') from {{ this }}){% endset %}
select id from {{ source('app', 'conversations') }} where updated_at >= {{ since }}
union
select conversation_id from {{ source('app', 'messages') }} where updated_at >= {{ since }}
{% endmacro %}

-- Rights that a role lacks, or has but should not.
-- out: failure
with rights (role, deed, is_granted, is_wanted) as (
    values
    (
        'convo_pipeline', 'own analytics',
        pg_has_role('convo_pipeline', (select nspowner from pg_namespace where nspname = 'analytics'), 'member'), true
    ),
    ('convo_pipeline', 'read app.messages', has_table_privilege('convo_pipeline', 'app.messages', 'select'), true),
    (
        'convo_pipeline', 'insert app.conversations.crew_id',
        has_column_privilege('convo_pipeline', 'app.conversations', 'crew_id', 'insert'), true
    ),
    (
        'convo_pipeline', 'change app.conversations',
        has_table_privilege('convo_pipeline', 'app.conversations', 'update, delete'), false
    ),
    (
        'convo_pipeline', 'capture tables',
        has_function_privilege('convo_pipeline', 'analytics.capture(regclass)', 'execute')
        and has_function_privilege('convo_pipeline', 'analytics.release(regclass)', 'execute'), true
    ),
    (
        'convo_pipeline', 'lock rows of the application',
        has_function_privilege('convo_pipeline', 'analytics.lock_parents(text, uuid[])', 'execute'), true
    ),
    (
        'convo_analyst', 'write analytics.people_conversations',
        has_table_privilege('convo_analyst', 'analytics.people_conversations', 'insert, update, delete'), false
    ),
    ('convo_analyst', 'see schema app', has_schema_privilege('convo_analyst', 'app', 'usage'), false),
    ('convo_observer', 'see schema app', has_schema_privilege('convo_observer', 'app', 'usage'), false),
    (
        'convo_steward', 'decide',
        has_column_privilege('convo_steward', 'curation.participant_decisions', 'contact_method_id', 'insert'), true
    ),
    (
        'convo_steward', 'revoke',
        has_column_privilege('convo_steward', 'curation.participant_decisions', 'revoked_at', 'update'), true
    ),
    (
        'convo_steward', 'delete decisions',
        has_table_privilege('convo_steward', 'curation.participant_decisions', 'delete'), false
    ),
    ('convo_steward', 'read names', has_table_privilege('convo_steward', 'analytics.person_names', 'select'), true)
),

relations as (
    select
        oid,
        relname,
        oid::regclass as name,
        coalesce(obj_description(oid, 'pg_class'), '') ~ '(Internal|Personal data)\.$' as is_hidden
    from pg_class
    where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
)

select format('%s %s %s', role, case when is_granted then 'may' else 'may not' end, deed) as failure
from rights
where is_granted <> is_wanted
union all
select format('convo_analyst may not read %s: run `convo-pipelines migrate up`', name)
from relations
where not has_table_privilege('convo_analyst', oid, 'select')
union all
select format(
    'convo_observer %s read %s: run `convo-pipelines migrate up`', case when is_hidden then 'may' else 'may not' end, name
)
from relations
where has_any_column_privilege('convo_observer', oid, 'select') = is_hidden and relname not like 'schema\_migration%'
union all
select format('convo_observer may read %s.%I', relations.name, attribute.attname)
from relations
inner join pg_attribute as attribute
    on attribute.attrelid = relations.oid and attribute.attnum > 0 and not attribute.attisdropped
where not relations.is_hidden
    and col_description(relations.oid, attribute.attnum) like '%ersonal data.'
    and has_column_privilege('convo_observer', relations.oid, attribute.attnum, 'select')
order by failure;

-- What others made that depends on analytics (views, foreign keys, functions, publications), and views that are adopted.
-- out: dependent
select distinct format('%%s depends on %%s', by.name, pg_describe_object(of.classid, of.objid, 0)) as dependent
from (
    select
        'pg_class'::regclass::oid as classid,
        oid as objid
    from pg_class
    where relnamespace = 'analytics'::regnamespace
    union all
    select
        'pg_type'::regclass,
        oid
    from pg_type
    where typnamespace = 'analytics'::regnamespace
    union all
    select
        'pg_proc'::regclass,
        oid
    from pg_proc
    where pronamespace = 'analytics'::regnamespace
) as of
inner join pg_depend as depend on depend.refclassid = of.classid and depend.refobjid = of.objid
left join pg_rewrite as rule on depend.classid = 'pg_rewrite'::regclass and rule.oid = depend.objid
cross join lateral (
    select
        case
            when rule.oid is null then pg_describe_object(depend.classid, depend.objid, depend.objsubid)
            else pg_describe_object('pg_class'::regclass, rule.ev_class, 0)
        end as name,
        (pg_identify_object_as_address(depend.classid, depend.objid, depend.objsubid)).object_names as path
) as by
where depend.classid = 'pg_publication_rel'::regclass
    or (
        split_part(by.path[1], '.', 1) not in ('analytics', 'curation', 'pg_toast')
        and not (depend.classid = 'pg_trigger'::regclass and by.path[3] like 'convo\_pipelines\_%%')
    )
union all
select format('view app.%%I is captured on the tables beneath: run `convo-pipelines adopt release`', table_name)
from analytics.adopted_views
order by dependent;

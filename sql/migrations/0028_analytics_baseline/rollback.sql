-- Drops everything that is derived. Decisions stay. Statements are separated by an empty line and run on their own.
do $$
declare
    dependents text;
begin
    select string_agg(distinct format('%s depends on %s', by.name, pg_describe_object(of.classid, of.objid, 0)), E'\n')
    into dependents
    from (
        select 'pg_class'::regclass::oid as classid, oid as objid from pg_class
        where relnamespace = 'analytics'::regnamespace
        union all
        select 'pg_type'::regclass, oid from pg_type
        where typnamespace = 'analytics'::regnamespace
        union all
        select 'pg_proc'::regclass, oid from pg_proc
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
            and not (depend.classid = 'pg_trigger'::regclass and by.path[3] like 'convo\_pipelines\_%')
        );
    if dependents is not null then
        raise exception 'other objects depend on analytics'
        using errcode = 'dependent_objects_still_exist', detail = dependents;
    end if;
end
$$;

-- Takes the triggers off, table by table, each in a transaction of its own: thousands at once would run out of locks.
do $$
declare
    source regclass;
    attempt int;
begin
    for source in
        select distinct tgrelid::regclass from pg_trigger where tgname like 'convo\_pipelines\_%' and not tgisinternal
            and tgfoid::regproc::text like 'analytics.log\_%'
    loop
        attempt := 0;
        loop
            attempt := attempt + 1;
            perform set_config('lock_timeout', '150ms', true);
            begin
                perform analytics.drop_triggers(source);
                exit;
            exception when lock_not_available then
                if attempt >= 20 then
                    raise;
                end if;
            end;
            commit;
            perform pg_sleep(0.1);
        end loop;
        commit;
    end loop;
end
$$;

set local lock_timeout = '10s';
-- Locks the tables that foreign keys refer to, all or none: to wait for one while another is locked would be a deadlock.
do $$
begin
    for attempt in 1..100 loop
        begin
            lock table app.clients, app.contact_methods, app.conversations, app.crews, app.people, app.projects, app.users
            in access exclusive mode nowait;
            return;
        exception when lock_not_available then
            if attempt = 100 then
                raise;
            end if;
        end;
        perform pg_sleep(0.1);
    end loop;
end
$$;
drop view
    analytics.missing_app_indexes,
    analytics.contact_method_values,
    analytics.person_names,
    analytics.project_names,
    analytics.crew_names,
    analytics.client_names,
    analytics.customer_conversations,
    analytics.lead_conversations,
    analytics.lead_open_conversations,
    analytics.projects_this_week,
    analytics.conversations_per_project,
    analytics.conversation_clients,
    analytics.person_timeline,
    analytics.conversation_people,
    analytics.unknown_senders,
    analytics.identifier_holders,
    analytics.identifier_places,
    analytics.busiest_crews,
    analytics.conversation_owners,
    analytics.freshness,
    analytics.changes;
drop table
    analytics.alerts,
    analytics.capture_state,
    analytics.catalog_state,
    analytics.client_activity_daily,
    analytics.clients_conversations,
    analytics.conversation_changes,
    analytics.conversation_days,
    analytics.conversation_summaries,
    analytics.crew_activity_daily,
    analytics.crew_discovery_state,
    analytics.deleted_conversations,
    analytics.histories_sessions,
    analytics.identifier_changes,
    analytics.identifiers,
    analytics.message_changes,
    analytics.oddities,
    analytics.participant_resolutions,
    analytics.people_conversations,
    analytics.project_changes,
    analytics.project_conversations,
    analytics.project_link_inconsistencies,
    analytics.refresh_state,
    analytics.session_changes,
    analytics.trim_state,
    analytics.webhook_refreshes;
drop function
    analytics.capture, analytics.release, analytics.drop_triggers, analytics.enable_triggers, analytics.source_tables,
    analytics.log_sessions, analytics.log_conversations, analytics.log_messages, analytics.log_recipients,
    analytics.log_identifiers, analytics.log_projects, analytics.lock_parents, analytics.is_new,
    analytics.is_usable_time, analytics.is_usable_session, analytics.message_type(jsonb), analytics.message_type(json),
    analytics.confidence_of, analytics.kind_of, analytics.holder_of;
comment on schema analytics is null;
do $$
begin
    if not exists (select from curation.participant_decisions) then
        drop table curation.participant_decisions;
        drop function curation.check_decision;
        drop schema curation;
    end if;
end
$$;

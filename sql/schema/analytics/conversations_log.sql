-- What only the log of conversations has: the snapshots of deletions, and which conversations moved between projects.
create index conversations_changes_deletions on analytics.conversations_changes (xid)
where operation in ('delete', 'update') and crew_id is not null;
create index histories_sessions_changes_written on analytics.histories_sessions_changes (xid) where xids is not null;

-- Logs changes of conversations; see log_triggers.sql, also for the placeholders.
-- in:  {columns}; of each column, by its number: {declared}, {old_row}, {new_row}, {values}, {is_same}, {new_values},
--      {aggregated}, {nulls}, {one}, {all}, {numbered}; {crew}: the number of crew_id
create or replace function analytics.log_conversations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    operation text := lower(tg_op collate "C");
    may_write boolean;
    is_single boolean;  -- and in no project, or in the same as before
    {declared}
    moved uuid[];  -- conversations, and the projects in which they are now
    projects uuid[];
    is_any_moved boolean;
begin
    begin
        may_write := has_table_privilege('analytics.conversations_changes', 'insert');  -- fails without the right to use the schema
        if tg_level = 'ROW' then
            if tg_op <> 'INSERT' then {old_row} end if;
            if tg_op <> 'DELETE' then {new_row} end if;
            if old.project_id is distinct from new.project_id then
                moved := array[coalesce(new.id, old.id)]; projects := array[new.project_id];
            end if;
        elsif tg_op = 'INSERT' then
            select {values}, project_id is null and not exists (select from new_rows offset 1) into {one}, is_single
            from new_rows limit 1;
            if not is_single then
                select
                    {aggregated},
                    array_agg(id) filter (where project_id is not null), array_agg(project_id) filter (where project_id is not null)
                into {all}, moved, projects
                from (select {values}, id, project_id from new_rows) as changed;
            end if;
        elsif tg_op = 'DELETE' then
            select {values}, project_id is null and not exists (select from old_rows offset 1) into {one}, is_single
            from old_rows limit 1;
            if not is_single then
                select {aggregated}, array_agg(id) filter (where project_id is not null) into {all}, moved
                from (select {values}, id, project_id from old_rows) as changed;
            end if;
        elsif tg_op = 'UPDATE' then
            select
                {new_values},
                {is_same}
                and not exists (select from old_rows offset 1)
                and not exists (select from new_rows offset 1)
            into {one}, is_single
            from old_rows cross join new_rows limit 1;
            if is_single is not true then
                select {aggregated}, count(*) > least((select count(*) from old_rows), (select count(*) from new_rows))
                into {all}, is_any_moved
                from (
                    select {values} from old_rows
                    union
                    select {values} from new_rows
                ) as changed;
                if is_any_moved then
                    select array_agg(id), array_agg(project_id) into moved, projects from (
                        (select id, project_id from new_rows except select id, project_id from old_rows)
                        union all
                        select id, null from old_rows  -- a view does not show it any more
                        where project_id is not null and not exists (select from new_rows where new_rows.id = old_rows.id)
                    ) as changed;
                end if;
            end if;
        else
            {nulls}
        end if;
    exception when others or assert_failure then
        {nulls}
        moved := null;
        operation := 'everything';
    end;
    if moved is null then
        null;
    elsif has_schema_privilege(to_regnamespace('curation'), 'usage')
        and has_table_privilege(to_regclass('curation.project_assignments'), 'insert')
    then
        insert into curation.project_assignments (conversation_id, project_id, actor)
        select
            changed.id,
            changed.project_id,
            case when actor ~* '^[0-9a-f]{{4}}(-?[0-9a-f]{{4}}){{7}}$' then actor::uuid end
        from unnest(moved, projects) as changed (id, project_id)
        cross join current_setting('convo.actor', true) as actor
        where changed.id is not null;
    else
        raise warning '% may not write curation.project_assignments: when and by whom projects change is not kept', current_user;
    end if;
    if may_write is not true then
        raise warning '% may not write analytics.conversations_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    if is_single then
        insert into analytics.conversations_changes ({columns}, operation, snapshot)
        values ({one}, operation, case when tg_op <> 'INSERT' and only_{crew} is not null then pg_current_snapshot() end);
    else
        insert into analytics.conversations_changes ({columns}, operation, snapshot)
        select
            {numbered},
            operation,
            case when tg_op = 'TRUNCATE' or tg_op <> 'INSERT' and c{crew} is not null then pg_current_snapshot() end
        from unnest({all}) as changed ({numbered});
    end if;
    return null;
end
$$;
revoke all on function analytics.log_conversations() from public;

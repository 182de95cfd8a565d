-- Inserts conversations for sessions, unless the application has just inserted them: all at once or, if a rule of the application
-- refuses that, in smaller and smaller batches, until each refused row is found. What is nobody's rule fails, such as a lock, a
-- timeout, a full disk or a missing privilege, also while a trigger runs. What a trigger raises itself is a rule whatever its
-- code, except those that ask for a retry. Triggers of the application run with its search path, and nothing of ours does: the
-- statement that inserts calls no function and no operator.
-- in:  diff; {columns}; {may_insert}: false: all of them are refused; as they are by a view that takes no rows
-- out: app.conversations; refused_conversations; diff (change: refused)
do $$
declare
    missing constant tid[] := array(select ctid from pg_temp.diff where change = 'inserted' order by crew_id, session_id);
    batch tid[];
    first int := 1;
    size int := cardinality(missing);
    planned bigint;
    written bigint;
    is_lost boolean;
    state text;
    context text;
    rule_name text;
    column_name text;
    trigger_names text;
    takes_rows constant boolean := (
        select
            pg_relation_is_updatable('app.conversations', true) & 8 = 8
            and (
                bool_and(pg_column_is_updatable(attrelid, attnum, false))
                or exists (select from pg_trigger where tgrelid = 'app.conversations'::regclass and tgtype & 68 = 68)
            )
        from pg_attribute
        where attrelid = 'app.conversations'::regclass
            and attname in (select attname from pg_attribute where attrelid = 'pg_temp.diff'::regclass and attnum > 0)
    );
begin
    if not {may_insert} or not takes_rows then
        insert into analytics.refused_conversations (crew_id, session_id, refused_by)
        select
            crew_id,
            session_id,
            case when {may_insert} then 'view app.conversations' else 'CREATE_CONVERSATIONS' end
        from pg_temp.diff
        where change = 'inserted'
        on conflict (crew_id, session_id) do update set
            refused_by = excluded.refused_by,
            refused_at = excluded.refused_at;
        update pg_temp.diff set change = 'refused' where change = 'inserted';
        return;
    end if;
    create temporary table pg_temp.batch on commit drop as
    select {columns} from pg_temp.diff
    with no data;
    while first <= cardinality(missing) loop
        batch := missing[first:first + size - 1];
        is_lost := false;
        begin
            truncate pg_temp.batch;
            insert into pg_temp.batch
            select {columns} from pg_temp.diff
            where ctid = any(batch) and not exists (
                select from app.conversations as known
                where known.crew_id = diff.crew_id and known.session_id = diff.session_id
            );
            get diagnostics planned = row_count;
            set local search_path to default;
            insert into app.conversations ({columns}) select {columns} from pg_temp.batch order by crew_id, session_id;
            get diagnostics written = row_count;
            set constraints all immediate;
            set local search_path to '';
            if exists (
                select from pg_temp.diff
                where ctid = any(batch) and not exists (
                    select from app.conversations as written
                    where written.crew_id = diff.crew_id and written.session_id = diff.session_id
                )
            ) then
                is_lost := true;
                raise exception 'a trigger suppressed, changed or deleted a row' using errcode = '02000';
            end if;
            first := first + size;
            size := 2 * size;
        exception when others or assert_failure then
            get stacked diagnostics
                state = returned_sqlstate,
                context = pg_exception_context,
                rule_name = constraint_name,
                column_name = column_name;
            select string_agg(quote_ident(tgname), ', ' order by tgname) into trigger_names
            from pg_trigger
            inner join pg_proc on pg_proc.oid = tgfoid
            where tgrelid = 'app.conversations'::regclass
                and not tgisinternal
                and case
                    when is_lost and written < planned then tgtype & 7 = 7  -- before insert for each row
                    when is_lost then tgtype & 4 = 4 and tgname !~ '^convo_pipelines_'
                    else strpos(context, quote_ident(proname) || '(') > 0
                end;
            if left(state, 2) not in ('02', '22', '23', '44', '54', 'P0')
                and (
                    trigger_names is null
                    or state in ('40001', '40P01', '55P03')
                    or (state = '42501' or left(state, 2) in ('40', '53', '57', '58', 'XX'))
                    and split_part(context, chr(10), 1) !~ 'PL/pgSQL.*RAISE|RAISE.*PL/pgSQL'  -- in any language
                )
            then
                raise;
            elsif cardinality(batch) > 1 then
                size := greatest(cardinality(batch) / 8, 1);
            elsif exists (
                select from pg_temp.diff
                inner join app.conversations as known on known.crew_id = diff.crew_id and known.session_id = diff.session_id
                where diff.ctid = any(batch)
            ) then
                first := first + 1;  -- the application has just inserted it
            else
                insert into analytics.refused_conversations (crew_id, session_id, refused_by)
                select
                    crew_id,
                    session_id,
                    coalesce(
                        'constraint ' || quote_ident(nullif(rule_name, '')),
                        'trigger ' || trigger_names,
                        'column ' || quote_ident(nullif(column_name, '')),
                        'error ' || state
                    )
                from pg_temp.diff
                where ctid = any(batch)
                on conflict (crew_id, session_id) do update set
                    refused_by = excluded.refused_by,
                    refused_at = excluded.refused_at;
                update pg_temp.diff set change = 'refused' where ctid = any(batch);
                first := first + 1;
            end if;
        end;
    end loop;
end
$$;

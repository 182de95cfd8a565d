-- What a role that may create functions can put in front of PostgreSQL's own: a function, an operator and a type of each name and
-- signature, which note that they were used and then do the same. The database's search_path finds them first.
-- Used as mallory, with an empty search_path.
create sequence public.traps;
grant usage, select, update on sequence public.traps to public;
create table public.trap_names (number bigint primary key, name text not null);
grant select on public.trap_names to public;

create function public.spring(number bigint) returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform setval('public.traps', number);
    return true;
end
$$;

do $$
declare
    trap record;
    number bigint := 1;
begin
    for trap in
        select
            quote_ident(proname) as name,
            oid::regprocedure as signature,
            (select string_agg(format_type(argument, null), ', ') from unnest(proargtypes) as argument) as arguments,
            (
                select string_agg(case when provariadic <> 0 and place = pronargs then 'variadic ' else '' end || '$' || place, ', ')
                from generate_series(1, pronargs) as place
            ) as given,
            pg_get_function_result(oid) as result,
            proretset
        from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and prokind = 'f'
            and (proargmodes is null or provariadic <> 0)
    loop
        number := number + 1;
        begin
            if trap.signature::text ~ '"any"|internal|cstring|trigger' or trap.result ~ 'internal|cstring|trigger|record' then
                continue;
            end if;
            execute format(
                'create function public.%s(%s) returns %s language plpgsql as $f$ begin perform public.spring(%s); %s; end $f$',
                trap.name, trap.arguments, trap.result, number,
                case
                    when trap.result = 'void' then format('perform pg_catalog.%s(%s)', trap.name, trap.given)
                    when trap.proretset then format('return query select * from pg_catalog.%s(%s)', trap.name, trap.given)
                    else format('return pg_catalog.%s(%s)', trap.name, trap.given)
                end
            );
            insert into public.trap_names values (number, trap.signature::text);
        exception when duplicate_function or invalid_function_definition or undefined_object or feature_not_supported then
            null;
        end;
    end loop;
    for trap in
        select
            oprname as name,
            format_type(oprleft, null) as left_type,
            format_type(oprright, null) as right_type,
            format_type(oprresult, null) as result
        from pg_operator
        where oprnamespace = 'pg_catalog'::regnamespace and oprleft <> 0 and oprresult <> 0
            and oprleft <> 'internal'::regtype and oprright <> 'internal'::regtype
    loop
        number := number + 1;
        begin
            execute format(
                'create function public.trap_%s(%s, %s) returns %s language plpgsql as '
                '$f$ begin perform public.spring(%s); return $1 operator(pg_catalog.%s) $2; end $f$',
                number, trap.left_type, trap.right_type, trap.result, number, trap.name
            );
            execute format(
                'create operator public.%s (leftarg = %s, rightarg = %s, function = public.trap_%s)',
                trap.name, trap.left_type, trap.right_type, number
            );
            insert into public.trap_names values (number, format('%s %s %s', trap.left_type, trap.name, trap.right_type));
        exception when invalid_function_definition or undefined_object or feature_not_supported or datatype_mismatch then
            null;
        end;
    end loop;
    for trap in
        select unnest('{text, uuid, jsonb, json, date, timestamptz, regclass, regtype, oid, name, bytea, xid8, pg_snapshot}'::text[]) as name
    loop
        number := number + 1;
        execute format(
            'create domain public.%I as pg_catalog.%1$I check (public.spring(%s))', trap.name, number
        );
        insert into public.trap_names values (number, 'type ' || trap.name);
    end loop;
end
$$;

-- Overloads that fit a call with an untyped null, or with arguments that PostgreSQL would convert, better than its own.
create function public.format_type(oid, text) returns text language plpgsql as
$f$ begin perform public.spring(900001); return pg_catalog.format_type($1, null::int); end $f$;
create function public.format(text, text) returns text language plpgsql as
$f$ begin perform public.spring(900002); return pg_catalog.format($1, $2); end $f$;
create function public.format(text, name) returns text language plpgsql as
$f$ begin perform public.spring(900003); return pg_catalog.format($1, $2); end $f$;
create function public.format(text, name, name) returns text language plpgsql as
$f$ begin perform public.spring(900004); return pg_catalog.format($1, $2, $3); end $f$;
create function public.hashtextextended(text, int) returns bigint language plpgsql as
$f$ begin perform public.spring(900005); return pg_catalog.hashtextextended($1, $2::bigint); end $f$;
create function public.trap_concat(regproc, text) returns text language plpgsql as
$f$ begin perform public.spring(900006); return $1::text operator(pg_catalog.||) $2; end $f$;
create operator public.|| (leftarg = regproc, rightarg = text, function = public.trap_concat);
insert into public.trap_names values
(900001, 'format_type(oid, text)'), (900002, 'format(text, text)'), (900003, 'format(text, name)'),
(900004, 'format(text, name, name)'), (900005, 'hashtextextended(text, integer)'), (900006, 'regproc || text');

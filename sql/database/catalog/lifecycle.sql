-- Tests on copies of the tables, with their indexes, that a lead has at most one open conversation, and that recency queries
-- are served by an index in its order. Not run if app consists of views.
do $$
declare
    lead uuid := gen_random_uuid();
    query text;
    line text;
    plan text;
begin
    if exists (select from pg_class where relnamespace = 'app'::regnamespace and relname = 'conversations' and relkind = 'v') then
        return;
    end if;
    create temporary table pg_temp.conversation_copy (like app.conversations including all) on commit drop;

    insert into pg_temp.conversation_copy (channel, lead_id) values ('email', lead);
    begin
        insert into pg_temp.conversation_copy (channel, lead_id) values ('email', lead);
        raise exception 'a second open conversation of a lead is not refused';
    exception when unique_violation then null;
    end;
    update pg_temp.conversation_copy set closed_at = now() where lead_id = lead;
    insert into pg_temp.conversation_copy (channel, lead_id) values ('email', lead);
    insert into pg_temp.conversation_copy (channel, lead_id, closed_at) values ('email', lead, now()), ('email', lead, now());

    perform set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
    foreach query in array array[
        'select * from app.messages where conversation_id = gen_random_uuid() order by created_at desc limit 50',
        'select * from app.conversations where customer_id = gen_random_uuid() order by started_at desc limit 50'
    ] loop
        query := replace(query, 'gen_random_uuid()', quote_literal(lead));
        plan := '';
        for line in execute 'explain (costs off) ' || query loop
            plan := plan || line || E'\n';
        end loop;
        if plan ~ 'Sort' or plan !~ 'Index Cond: \((customer|conversation)_id =' then
            raise exception 'no index serves: %', query using detail = plan;
        end if;
    end loop;
end
$$;

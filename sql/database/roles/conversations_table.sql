-- If app.conversations is a view over the owner's tables, a table takes its place while the roles are created or dropped.
-- Only a table can have a trigger for each row that is inserted.
do $$
begin
    if (select relkind from pg_class where oid = to_regclass('app.conversations')) = 'v' then
        alter view app.conversations rename to conversations_view;
        create table app.conversations (
            id uuid, channel text, external_id text, client_id uuid, crew_id uuid, session_id text, started_at timestamptz
        );
        if to_regproc('analytics.refuse_undiscovered') is not null then
            create trigger convo_pipeline_discovers before insert on app.conversations
            for each row execute function analytics.refuse_undiscovered();
        end if;
    end if;
end
$$;

-- The tables that get columns; before them the one whose trigger writes assignments, so that no statement is in it at a rollback.
do $$
begin
    if (select relkind in ('r', 'p') from pg_class where oid = to_regclass('app.conversations')) then
        lock table app.conversations in share row exclusive mode nowait;
    end if;
end
$$;
lock table analytics.project_conversations, curation.participant_decisions in access exclusive mode nowait;

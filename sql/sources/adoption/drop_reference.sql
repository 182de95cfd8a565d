-- Drops the tables of the reference schema app, with the foreign keys of analytics to them; the rights on the schema stay.
do $$
declare
    relation regclass;
begin
    for relation in select oid from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') loop
        execute format('drop table %%s cascade', relation);
    end loop;
    drop function app.touch_updated_at();
end
$$;

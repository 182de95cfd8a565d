-- Deltaflow has no days of times: the table gets a column with the day, which a trigger writes.
alter table app.tool_messages add column day date;
create function app.set_day() returns trigger language plpgsql as $$
begin
    new.day := (new.called_at at time zone 'UTC')::date;
    return new;
end
$$;
create trigger set_day before insert or update on app.tool_messages
for each row execute function app.set_day();
update app.tool_messages set called_at = called_at;

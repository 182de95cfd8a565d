-- Sets updated_at at every update of a row of the application.
create or replace function app.touch_updated_at() returns trigger
language plpgsql
as $$
begin
    new.updated_at := clock_timestamp();
    return new;
end
$$;

-- in:  {table}: that decides the view's rows; {columns}, {shown}: what the view shows of these; {operations}
for convo_row in select tableoid, ctid from {table} loop
    begin
        return query
        with changed_rows as materialized (
            select * from {table} where ctid = convo_row.ctid and tableoid = convo_row.tableoid
        )

        select {columns}, logged.operation from ({shown}) as shown cross join (values {operations}) as logged (operation);
    exception when others or assert_failure then  -- the view does not show it
    end;
end loop;

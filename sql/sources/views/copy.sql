-- Creates an empty copy of tables, whose indexes prove what follows from a row alone.
-- in:  {copy}: its name; {columns}, {tables}
create temporary table pg_temp.{copy} as
select {columns} from {tables}
with no data;

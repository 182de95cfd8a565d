-- in:  {log}; {look_up}: the function that finds the rows of the view by what the statement logs
insert into {log} (operation, beneath, beneath_values) values ('beneath', {look_up}, found_by)

-- in:  {log}, {columns}, {values}: the statement logs that a source has to be read as a whole
insert into {log} ({columns}) values ({values})

-- in:  {histories}
create index on {histories} (created_at);

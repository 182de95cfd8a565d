-- Creates the index on created_at of a histories table.
-- in:  {histories}
create index on {histories} (created_at);

-- Records that no code is applied.
-- in:  {code}: the table that records it
delete from {code};

-- Records that code was applied whose text is not known: it is applied again, or dropped.
-- in:  {code}: the table that records it
update {code}
set checksum = '';

-- Names instead of oids.


-- Deletions and crashes.


-- Refused rows.

delete from analytics.oddities where asset_key = 'crew_conversations';
drop table analytics.refused_conversations;


-- Capture.

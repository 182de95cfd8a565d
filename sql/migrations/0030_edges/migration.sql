-- Names instead of oids.


-- Deletions and crashes.


-- Refused rows.


-- Capture.

select 1;

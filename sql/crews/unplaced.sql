-- in:  {histories}
-- out: one row: rows: without a session or a usable time
select count(*) as rows from {histories}
where session_id is null or created_at is null or created_at < '0001-01-02' or created_at >= '9999-12-30';

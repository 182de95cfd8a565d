-- Ends the open alerts of any kind on a subject.
-- in:  %(source)s, %(subject)s
update analytics.alerts
set ended_at = clock_timestamp()
where source = %(source)s and subject = %(subject)s and ended_at is null;

-- in:  %(source)s, %(subject)s: what is over, of whatever kind
update analytics.alerts
set ended_at = clock_timestamp()
where source = %(source)s and subject = %(subject)s and ended_at is null;

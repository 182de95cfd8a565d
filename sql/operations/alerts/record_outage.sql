-- Records an outage of the database once it is over.
-- in:  %(kind)s, %(subject)s, %(found)s, %(remedy)s, %(since)s; %(notified_at)s: null if no notification was delivered
insert into analytics.alerts (source, kind, subject, found, remedy, since, ended_at, notified_at)
values (
    'health', %(kind)s, %(subject)s, %(found)s, %(remedy)s, %(since)s, clock_timestamp(), %(notified_at)s
);

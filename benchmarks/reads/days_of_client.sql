-- in: %(key)s: a client
select * from analytics.client_activity_daily
where client_id = %(key)s and activity_date >= current_date - 30;

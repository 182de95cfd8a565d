-- Drops the analysts' views.
drop view
    analytics.busiest_crews, analytics.crew_activity_daily, analytics.projects_this_week, analytics.person_timeline,
    analytics.client_activity_daily;

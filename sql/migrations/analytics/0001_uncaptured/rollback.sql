-- The mode "uncaptured" becomes "window", the name that the version before knows.
alter table analytics.capture_state drop constraint capture_state_mode_check;
update analytics.capture_state set mode = 'window'
where mode = 'uncaptured';
alter table analytics.capture_state add constraint capture_state_mode_check check (mode in ('captured', 'window'));

alter table analytics.crew_discovery_state drop constraint crew_discovery_state_mode_check;
update analytics.crew_discovery_state set mode = 'window'
where mode = 'uncaptured';
alter table analytics.crew_discovery_state
add constraint crew_discovery_state_mode_check check (mode in ('captured', 'window'));

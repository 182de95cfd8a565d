-- Ticks read no window of the last days any more, so the mode "window" becomes "uncaptured".
alter table analytics.capture_state drop constraint capture_state_mode_check;
update analytics.capture_state set mode = 'uncaptured'
where mode = 'window';
alter table analytics.capture_state add constraint capture_state_mode_check check (mode in ('captured', 'uncaptured'));

alter table analytics.crew_discovery_state drop constraint crew_discovery_state_mode_check;
update analytics.crew_discovery_state set mode = 'uncaptured'
where mode = 'window';
alter table analytics.crew_discovery_state
add constraint crew_discovery_state_mode_check check (mode in ('captured', 'uncaptured'));

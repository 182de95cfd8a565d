-- Creates the token that the next crash removes.
insert into analytics.crash_token default values
on conflict do nothing;

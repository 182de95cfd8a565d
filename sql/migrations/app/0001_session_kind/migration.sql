-- A crew may say what its session ids are.
alter table app.crews add column session_kind text check (session_kind in ('email', 'phone', 'linkedin', 'other'));

alter table app.crews drop column session_kind;

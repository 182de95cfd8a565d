-- The sample data as if it had been written when it says, so that a filter by updated_at has something to leave out.
alter table app.conversations disable trigger touch_updated_at;
alter table app.messages disable trigger touch_updated_at;
update app.conversations set created_at = started_at, updated_at = started_at;
update app.messages set created_at = sent_at, updated_at = sent_at;
alter table app.conversations enable trigger touch_updated_at;
alter table app.messages enable trigger touch_updated_at;

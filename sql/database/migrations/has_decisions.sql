-- Whether people decided anything, or put conversations into projects: nobody could compute that again.
-- out: one row: has_decisions
select
    exists (select from curation.participant_decisions) or exists (select from curation.project_assignments) as has_decisions;

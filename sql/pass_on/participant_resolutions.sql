-- in:  different
-- out: identifier_changes: contact methods that are somebody else's now
insert into analytics.identifier_changes (source, id, operation)
select
    'participant_resolutions',
    contact_method_id,
    'update'
from different
where change <> 'locked';

-- Foreign keys that the database does without: by choice, or because the table that they refer to can have none.
-- out: object, as the listing names it
select format('constraint %I on analytics.%I', name, child) as object
from analytics.foreign_keys()
where not is_wanted;

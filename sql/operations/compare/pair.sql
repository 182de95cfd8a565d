-- Whether a column differs, and both values.
-- in:  former, present: the rows; {name}, {column}
union all
select
    {name},
    former.{column} is distinct from present.{column},
    former.{column}::text,
    present.{column}::text

-- Keys without a column that a selection names cannot be narrowed.
true

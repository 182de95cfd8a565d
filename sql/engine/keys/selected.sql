-- Keys without a crew or client cannot be narrowed.
true

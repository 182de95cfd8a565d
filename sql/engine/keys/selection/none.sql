-- Keys that are of no crew or client are never narrowed.
true

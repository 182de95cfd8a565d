-- Which rows are written, in tables that record when each was last found: all.
true

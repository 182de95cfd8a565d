-- Which rows are written where each says when it was last found: all.
true

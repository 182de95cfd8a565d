"""Tables of one's own: from a folder with one SELECT to a table that the engine keeps exact."""

-- Which rows are written: those that are not as they should be.
wanted is distinct from present

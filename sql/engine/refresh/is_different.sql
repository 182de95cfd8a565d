-- Which rows are written: those that differ.
wanted is distinct from present

"""The engine: which rows there should be, and keeping them so."""

"""Nothing but Python: no database, no processes."""

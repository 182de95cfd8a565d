"""The database: its address, connections, statements and migrations."""

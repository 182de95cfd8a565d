"""The assets: the derived tables, and the activity report."""

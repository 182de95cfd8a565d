"""What the pipeline reads: the application's tables, and ways to fill them where there is no application."""

"""Ways to fill the application's tables: imports of n8n exports, and sample data."""

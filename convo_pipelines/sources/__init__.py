"""Where the application's rows come from: views over the owner's tables, n8n exports, sample data."""

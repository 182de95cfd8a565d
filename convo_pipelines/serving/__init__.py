"""What applications and analysts read and call."""

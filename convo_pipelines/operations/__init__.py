"""What operators do and are told."""

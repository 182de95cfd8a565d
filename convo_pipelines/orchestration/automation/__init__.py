"""Jobs, and the schedules and sensors that launch them."""

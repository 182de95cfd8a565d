"""Jobs and the schedules that launch them."""

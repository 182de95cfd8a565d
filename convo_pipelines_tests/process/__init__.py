"""Processes as operators run them: commands, services, poolers, servers that crash."""

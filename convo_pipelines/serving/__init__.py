"""Interfaces for applications and analysts: the webhook, metrics, DataFrames, the report, the Zero schema."""

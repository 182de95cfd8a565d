"""Operators' tools: health, alerts, erasure, decisions, project arrays, and the pipeline as functions."""

"""Adoption: schema `app` as views over the owner's tables, captured on these."""

"""The software-defined assets: one module each, named as its table."""

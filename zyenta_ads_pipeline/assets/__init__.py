"""Dagster assets, one module a group. Thin: read, call, write, attach metadata."""

"""The operational database: the outbox of changes and its journal."""

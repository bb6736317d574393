"""The analytical tables: Delta Lake on disk or object storage, read by DuckDB and Polars."""

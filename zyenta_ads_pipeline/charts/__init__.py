"""Charts: Polars frames in, SVG text out. Drawn on the server, the same for Dagster and pages."""

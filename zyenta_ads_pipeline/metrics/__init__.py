"""What each metric means; pure functions on Polars frames."""

"""The console's API, over a real store."""

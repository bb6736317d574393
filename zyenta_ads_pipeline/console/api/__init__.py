"""The console's API: everything that the pages do, for programs."""

"""What people touch in a browser or call over HTTP: the console and its API."""

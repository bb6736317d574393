"""Meta's Marketing API: transport, typed errors, and the platform interface on top."""

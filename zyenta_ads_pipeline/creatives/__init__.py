"""What is said and shown in ads: catalogue, media, targeting, and the texts that are written."""

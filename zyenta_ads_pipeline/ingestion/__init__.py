"""From a platform's replies to the lake's tables."""

"""A local look-alike of Meta's Graph API. Imports `domain/` only; the product never imports it."""

"""The console's pages: HTML made on the server, forms that work without JavaScript."""

"""The HTTP side of the admin API: the application, access tokens, and the console's pages and files."""

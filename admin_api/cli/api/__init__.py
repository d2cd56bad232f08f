"""Requests to the API: `client` sends a document over `http`, and `shapes` checks the response. The look-ups find a
device or a target by what a user typed."""

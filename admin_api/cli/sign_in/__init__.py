"""Signs the user in and out: `browser` through the lobby's sign-in page, `session` supplies access tokens, and
`profiles` stores them."""

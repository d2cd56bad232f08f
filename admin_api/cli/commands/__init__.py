"""The subcommands, one module per group: read the arguments, call the API through the context, show the response."""

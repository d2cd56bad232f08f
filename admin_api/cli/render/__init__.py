"""Pure functions from the API's responses to rich renderables. They send no requests and print nothing."""

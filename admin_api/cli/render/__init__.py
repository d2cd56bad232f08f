"""Pure functions that turn the API's responses into rich renderables. They send no requests and print nothing."""

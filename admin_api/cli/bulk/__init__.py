"""One operation on many devices: the requests, their sending in chunks, and an outcome for every row."""

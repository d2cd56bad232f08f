"""A lobby with several Regions: the lease of the home, the fence of writes, and the routing of reads and writes."""

"""The archive (opt-in): its `delivery`, its `tables` and named `queries`, and AWS IoT's registry events."""

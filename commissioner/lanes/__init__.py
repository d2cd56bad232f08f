"""The lanes, one per target: `messages` starts a lane's `worker`, which holds the `lease`, takes `rows` at the target's
pace and serves each (`serving`)."""

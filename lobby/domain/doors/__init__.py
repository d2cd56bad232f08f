"""Decisions at the doors `claim` and `token`. `lobby.doors` has their Lambdas."""

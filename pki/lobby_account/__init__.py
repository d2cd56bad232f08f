"""What a manufacturer changes in a lobby's AWS account: the registration of a CA, and its published revocation
lists."""

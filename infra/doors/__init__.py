"""The doors' parts of the lobby's stack: registration, provisioning by claim, vending, renewal, and their
permissions."""

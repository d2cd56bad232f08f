"""What users give to a command: claim lists, device lists, serial numbers, transfer documents, and photos of labels.
Each is read and checked completely before anything is sent."""

"""The labels of devices: their content, their layout, and the files for printers."""

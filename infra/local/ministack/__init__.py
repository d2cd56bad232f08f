"""All patches to the MiniStack emulator, one module per difference from AWS; `README.md` lists them."""

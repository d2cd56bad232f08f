"""Checks of certificates, CAs and revocation lists: what `lobby.domain.identity` decides from.

Pure functions over parsed certificates. The PKI tools use them, too, so that a CA is checked before it is registered
by the code that will later admit its devices.
"""

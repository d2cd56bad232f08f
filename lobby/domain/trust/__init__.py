"""Checks of certificates, CAs and revocation lists for `lobby.domain.identity`. Pure functions over parsed
certificates. The PKI tools use the same code, so a CA is checked before its registration by the rules that later apply
to its devices.
"""

"""The local cloud: the patched AWS emulator MiniStack as a subprocess on loopback, and the deployment of the lobby's
CDK assembly to it. Nothing here runs in AWS."""

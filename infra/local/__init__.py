"""The lobby's world on one machine: an AWS emulator (MiniStack) as one subprocess on loopback, with the few things
it lacks, and the deployment of a synthesized cloud assembly to it. Nothing here runs in AWS."""

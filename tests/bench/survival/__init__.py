"""Kills the local service while devices are onboarded: every device must arrive, and no acknowledged write is lost.

`device_processes` runs many devices in one process, `kill_run` onboards them and checks the ledger, `service` is the
deployment as a process that can be killed.
"""

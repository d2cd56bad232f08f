"""The local service is killed while devices are onboarded: every one has to arrive, and nothing that was said is lost.

`household` is many devices in one process, `ordeal` onboards them and has the service killed meanwhile, `service` is
the deployment as a process that can be killed.
"""

"""The client's libraries in pure Python: MQTT by paho-mqtt, TLS by Python's `ssl`, keys by ecdsa.

A bundle of `lobbyctl enrolments bundle` contains them, so that it runs wherever Python does. `device.native` has the
same functions with awscrt and cryptography.
"""

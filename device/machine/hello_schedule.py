"""When the next hello is due, as a function of how long the device has been online in the lobby.

The lobby pushes a route as soon as there is one, so a hello is needed only if a push was lost. Hellos are frequent at
first, while the device is being claimed, then rare, because each costs the lobby a run of a Lambda. A new connection
starts the schedule again. Each interval has jitter, so that devices that connect at the same time do not send hellos at
the same time.
"""

from dataclasses import dataclass

from device.machine.backoff import Uniform, jittered


@dataclass(frozen=True)
class HelloSchedule:
    """`every` is the first interval, for `every_for` seconds since the subscription; then `later_every` until
    `later_for` seconds since the subscription; then `at_last_every`. All in seconds."""

    every: float
    every_for: float
    later_every: float
    later_for: float
    at_last_every: float

    def interval(self, online_for: float) -> float:
        """Return the interval after a hello that was acknowledged `online_for` seconds after the subscription. It never
        decreases with `online_for`: if the first interval is longer than the later ones, it always applies."""
        if online_for < self.every_for:
            return self.every
        later = max(self.every, self.later_every)
        return later if online_for < self.later_for else max(later, self.at_last_every)

    def wait(self, online_for: float, uniform: Uniform) -> float:
        """Return the interval with up to 10 % of jitter in either direction."""
        return jittered(self.interval(online_for), uniform)

"""A store that errs, dawdles, breaks connections and sends half of what it promised."""

from collections.abc import Iterator

from drill.faults import FaultProxy, Faults
from drill.lab import Disturbance, Lab, Undisturbed
from drill.table import Row

CASES = {
    "500 to 1 request in 10": Faults(("error",), 0.1, 1),
    "500 to every request": Faults(("error",), 1.0, 2),
    "503 to 1 request in 3": Faults(("unavailable",), 0.33, 3),
    "503 to every request": Faults(("unavailable",), 1.0, 4),
    "1 answer in 5 is 2 s late": Faults(("slow",), 0.2, 5, 2),
    "1 answer in 50 is 20 s late": Faults(("slow",), 0.02, 6, 20),
    "1 connection in 10 is reset": Faults(("reset",), 0.1, 7),
    "every connection is reset": Faults(("reset",), 1.0, 8),
    "1 body in 10 is cut": Faults(("cut",), 0.1, 9),
    "every body is cut": Faults(("cut",), 1.0, 10),
    "1 body in 20 has a flipped bit": Faults(("flip",), 0.05, 11),
    "all of it, 1 request in 10": Faults(("error", "unavailable", "slow", "reset", "cut"), 0.1, 12, 2),
}


def networks(lab: Lab, whole: Undisturbed) -> Iterator[Row]:
    """A run through a proxy that does this, and a rerun past it."""
    for number, (what, faults) in enumerate(CASES.items()):
        name = f"network-{number}"
        with FaultProxy(lab.swift.endpoint, faults) as proxy:
            ended = lab.run(name, env=lab.swift.environment(proxy.endpoint))
            done = ", ".join(f"{count} {kind}" for kind, count in sorted(proxy.counts.items()))
        yield lab.judge(Disturbance("network", what, done, ended, lab.look(name)), name, whole)

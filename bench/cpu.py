"""The processor time that processes have had. On a machine that others use too it is what can be compared."""

import os
from collections.abc import Mapping
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

Used = Mapping[str, float]


def used(pids: Mapping[str, int]) -> Used:
    """The seconds that each of these processes has had until now, its threads' included."""
    return {name: _seconds(pid) for name, pid in pids.items()}


def micros_each(before: Used, after: Used, count: int) -> dict[str, float]:
    """The microseconds between two readings for each of so many things done meanwhile."""
    return {name: (after[name] - before[name]) * 1e6 / count for name in before}


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has ever had resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / TICKS_A_SECOND

"""On what a measurement ran, and what a process has used of it, as the operating system tells. Must not measure time."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import NamedTuple


class Costs(NamedTuple):
    """What a process has used until now, as Linux tells it; zeros elsewhere. `peak_bytes` is VmHWM."""

    cpu_s: float
    peak_bytes: int


def costs(pid: int) -> Costs:
    """CPU time and peak memory of a process that runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return Costs(0.0, 0)
    ticks = int(fields[11]) + int(fields[12])
    return Costs(ticks / os.sysconf("SC_CLK_TCK"), int(status.partition("VmHWM:")[2].split()[0]) * 1024)


def processor() -> str:
    """What Linux calls the processor; what Python knows elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    return text.partition("model name")[2].partition(":")[2].partition("\n")[0].strip() or platform.machine()


def file_system(folder: str) -> str:
    """The kind of file system that a folder is on; "unknown" where Linux does not tell."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    mounts = {point: kind for _, point, kind, *_ in map(str.split, lines)}
    for place in [Path(folder).resolve(), *Path(folder).resolve().parents]:
        if str(place) in mounts:
            return mounts[str(place)]
    return "unknown"


def facts(folder: str) -> dict[str, object]:
    """What belongs beside every number: processor, cores, kernel, file system, and how busy the machine was before."""
    return {
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "file_system": file_system(folder),
        "load_before": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }

"""How long to wait for a process that may hang."""

import os
import time


def _add_cpu_waits(pid, found):
    folder = "/proc/%d/task/" % pid
    try:
        for thread in os.listdir(folder):
            with open(folder + thread + "/schedstat", encoding="ascii") as f:
                found.setdefault(pid, {})[thread] = int(f.read().split()[1]) / 1e9
            with open(folder + thread + "/children", encoding="ascii") as f:
                for child in f.read().split():
                    _add_cpu_waits(int(child), found)
    except OSError:
        pass  # It has ended, or this system does not tell.


def cpu_waits(pids):
    """The seconds that each thread of these processes and their descendants has spent ready to run,
    but without a CPU: {pid: {thread: seconds}}. Empty if the system does not tell; Linux does."""
    found = {}
    for pid in pids:
        _add_cpu_waits(pid, found)
    return found


class Patience:
    """When a wait must be given up: after `limit` seconds, not counting those for which processes
    were ready to run, but other processes had the CPUs of this computer. So a busy computer makes
    nothing fail, and a child that hangs, whether it sleeps or loops, is noticed nevertheless. Where
    the system does not tell who had to wait, all seconds count.

    Of each process only that thread counts which waited longest. At MOST times the limit, all
    patience is at an end.
    """

    MOST = 20

    def __init__(self, limit, pids):
        self._limit = limit
        self._pids = pids
        self._before = cpu_waits(pids)
        self._start = time.monotonic()
        self._next_look = self._start + limit

    def left(self):
        """In how many seconds to ask again; 0 or less when the wait must be given up."""
        now = time.monotonic()
        if now >= self._next_look:
            elapsed = now - self._start
            counted = elapsed - min(elapsed, self._seconds_without_cpu())
            self._next_look = now + min(self._limit - counted, self.MOST * self._limit - elapsed)
        return self._next_look - now

    def _seconds_without_cpu(self):
        return sum(max(seconds - self._before.get(pid, {}).get(thread, 0)
                       for thread, seconds in threads.items())
                   for pid, threads in cpu_waits(self._pids).items())

"""The time limit of a wait for a process that may hang."""

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
        pass  # The process has ended, or the system is not Linux.


def cpu_waits(pids):
    """The time that each thread of these processes and of their descendants was ready to run, but
    had no CPU: {pid: {thread: seconds}}. On systems other than Linux, the result is empty."""
    found = {}
    for pid in pids:
        _add_cpu_waits(pid, found)
    return found


class Patience:
    """A wait with a time limit. Time in which the processes were ready to run, but had no CPU, does
    not count. So the wait does not fail because the computer is busy, but ends if a process hangs,
    asleep or in a loop. Where cpu_waits() is empty, all time counts.

    Of each process, only the thread that was without a CPU for longest counts. No wait is longer
    than MAX_FACTOR times the limit.
    """

    MAX_FACTOR = 20

    def __init__(self, limit, pids):
        self._limit = limit
        self._pids = pids
        self._before = cpu_waits(pids)
        self._start = time.monotonic()
        self._next_check = self._start + limit

    def left(self):
        """Seconds until the next check of the limit; 0 or less if the limit is exceeded."""
        now = time.monotonic()
        if now >= self._next_check:
            elapsed = now - self._start
            counted = elapsed - min(elapsed, self._seconds_without_cpu())
            self._next_check = now + min(self._limit - counted,
                                         self.MAX_FACTOR * self._limit - elapsed)
        return self._next_check - now

    def _seconds_without_cpu(self):
        return sum(max(seconds - self._before.get(pid, {}).get(thread, 0)
                       for thread, seconds in threads.items())
                   for pid, threads in cpu_waits(self._pids).items())

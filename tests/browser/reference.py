"""The totals of a trace, computed from the description of the events alone, to compare with those
that the timeline's JavaScript computes."""

USER, KERNEL, IDLE = range(3)


def of_kind(model, name):
    """The numbers of the events of a kind."""
    number = model["kinds"].index(name)
    return [i for i, kind in enumerate(model["events"]["kind"]) if kind == number]


def cpu_times(model, cpu):
    """[ticks in user mode, in the kernel, idle] of a CPU. A CPU is idle from `idle` until `run`, in
    user mode from `leave` to `enter`, else in the kernel."""
    events, times, state, since = model["events"], [0, 0, 0], None, 0
    after = {"leave": USER, "enter": KERNEL, "idle": IDLE, "run": KERNEL}
    before = {"enter": USER, "halt": IDLE, "interrupt": IDLE}
    for t, number, kind in zip(events["t"], events["cpu"], events["kind"]):
        if number != cpu:
            continue
        name = model["kinds"][kind]
        if state is None:
            state = before.get(name, KERNEL)
        if name in after:
            times[state] += t - since
            state, since = after[name], t
    if state is not None:
        times[state] += events["t"][-1] - since
    return times


def lock_times(model, cpu):
    """(ticks with the big lock, ticks of waiting for it) of a CPU."""
    events, held, waited, waits_since, held_since = model["events"], 0, 0, None, None
    for t, number, kind in zip(events["t"], events["cpu"], events["kind"]):
        name = model["kinds"][kind]
        if number != cpu:
            continue
        if name == "lock_wait":
            waits_since = t
        elif name == "lock_taken":
            waited += t - waits_since if waits_since is not None else 0
            waits_since, held_since = None, t
        elif name == "lock_drop" and held_since is not None:
            held += t - held_since
            held_since = None
    end = events["t"][-1]
    held += end - held_since if held_since is not None else 0
    waited += end - waits_since if waits_since is not None else 0
    return held, waited

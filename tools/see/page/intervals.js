// From events to intervals: what each CPU, each environment and the big lock do over time, the
// arrows between them, and the totals for the summary. Intervals.update() takes in the events that
// were appended to the trace since the last call.
//
// A CPU is idle from `idle` until `run`; in user mode from `leave` to `enter`; else in the kernel.

import { Column } from "./columns.js";
import { Track } from "./track.js";
import {
    Arrows, FORK_ARROW, IPI_ARROW, MESSAGE_ARROW, envKey, ipiKey, senderKey,
} from "./arrows.js";
import {
    BLOCK, DESTROY, ENTER, FAULT, FORK, HALT, IDLE_EVENT, INTERRUPT, IPI, LEAVE, LOCK_DROP,
    LOCK_SLEEP, LOCK_TAKEN, LOCK_WAIT, MESSAGE, RUN, SYSCALL_VECTOR,
} from "./trace.js";

// What a CPU does. IDLE: it polls for an environment. The value of an interval: the environment.
export const USER = 0, KERNEL = 1, IDLE = 2, HALTED = 3, UNKNOWN = 4;

// A CPU and the big lock. ASLEEP: the CPU halts while it waits. The value: the environment.
export const HELD = 0, WAITING = 1, ASLEEP = 2, FREE = 3;

// What an environment does. ON_USER, ON_KERNEL: on a CPU, whose number is the value. READY: it
// could run. BLOCKED: it waits; the value is the argument of `block`, or NOT_STARTED. ABSENT: it
// does not exist.
export const ON_USER = 0, ON_KERNEL = 1, READY = 2, BLOCKED = 3, ABSENT = 4;
const NOT_STARTED = 4;

const SENDING = 1; // The argument of `block`

class CpuState {
    constructor(number) {
        this.number = number;
        this.track = new Track(4);
        this.lock = new Track(3);
        this.events = new Column(Int32Array);
        this.mode = UNKNOWN;
        this.env = 0;
        this.lockState = FREE;
        this.lockSeen = false;
        this.since = 0; // Until when the time was added to the totals
        this.switches = this.messages = this.faults = this.interrupts = this.ipis = this.calls = 0;
    }
}

class EnvState {
    constructor(id, cpus) {
        this.id = id;
        this.track = new Track(4);
        this.events = new Column(Int32Array);
        this.cpu = -1; // The CPU that it is on
        this.waitsFor = -1; // The argument of its last `block`, -1: it does not wait
        this.ended = false;
        this.user = this.kernel = this.held = this.waited = 0; // Ticks
        this.onCpu = new Array(cpus).fill(0);
        this.switches = this.sent = this.received = this.faults = this.calls = 0;
    }
}

export class Intervals {
    constructor(trace) {
        this.trace = trace;
        this.done = 0; // How many events have been taken in
        this.cpus = [];
        for (let c = 0; c < trace.cpus; c++)
            this.cpus.push(new CpuState(c));
        this.envs = new Map(); // id -> EnvState, in the order of their first events; 0: none
        this.bigLock = new Track(1);
        this.bigLock.begin(0, FREE, 0, -1);
        this.holder = -1; // The CPU that holds the big lock
        this.arrows = new Arrows();
        this.update();
    }

    // Take in the events that were appended to the trace.
    update() {
        for (; this.done < this.trace.length; this.done++)
            this.take(this.done);
        const end = this.trace.end;
        for (const cpu of this.cpus) {
            this.addTimes(cpu, end);
            cpu.track.end = cpu.lock.end = end;
        }
        for (const env of this.envs.values())
            env.track.end = end;
        this.bigLock.end = end;
    }

    env(id) {
        let env = this.envs.get(id);
        if (!env) {
            env = new EnvState(id, this.cpus.length);
            this.envs.set(id, env);
        }
        return env;
    }

    take(i) {
        const trace = this.trace;
        const event = {
            i, t: trace.t.data[i], code: trace.code(i), env: trace.env.data[i],
            arg: trace.arg.data[i],
        };
        const cpu = this.cpus[trace.cpu.data[i]];
        cpu.events.push(i);
        if (cpu.mode === UNKNOWN)
            this.guessStart(cpu, event);
        this.addTimes(cpu, event.t);
        if (event.env)
            this.env(event.env).events.push(i);
        // The records of a switch may have been lost. (A message's sender need not be on the CPU.)
        const switches = event.code === RUN || event.code === IDLE_EVENT || event.code === MESSAGE;
        if (event.env !== cpu.env && !switches) {
            this.putOn(cpu, event.env, event);
            this.setMode(cpu, cpu.mode, event);
        }
        const handle = HANDLERS[event.code];
        if (handle)
            handle(this, cpu, event);
    }

    // What a CPU did before its first event.
    guessStart(cpu, event) {
        const modes = { [ENTER]: USER, [HALT]: IDLE, [INTERRUPT]: HALTED };
        const env = event.code === RUN ? 0 : event.env;
        const start = { ...event, t: 0 };
        cpu.lock.begin(0, FREE, 0, -1);
        this.putOn(cpu, env, start);
        this.setMode(cpu, modes[event.code] === undefined ? KERNEL : modes[event.code], start);
    }

    // Add the time since the last event of a CPU to the totals.
    addTimes(cpu, t) {
        const time = t - cpu.since, env = this.env(cpu.env);
        cpu.since = t;
        if (cpu.mode === USER)
            env.user += time;
        else if (cpu.mode === KERNEL)
            env.kernel += time;
        if (cpu.mode === USER || cpu.mode === KERNEL)
            env.onCpu[cpu.number] += time;
        if (cpu.lockState === HELD)
            env.held += time;
        else if (cpu.lockState !== FREE)
            env.waited += time;
    }

    // Begin an interval of a CPU and of its environment.
    setMode(cpu, mode, event) {
        cpu.mode = mode;
        cpu.track.begin(event.t, mode, cpu.env, event.i);
        const env = this.env(cpu.env);
        if (cpu.env && !env.ended)
            env.track.begin(event.t, mode === USER ? ON_USER : ON_KERNEL, cpu.number, event.i);
    }

    // Put an environment on a CPU, 0 for none. The one before leaves it.
    putOn(cpu, id, event) {
        const old = this.env(cpu.env), env = this.env(id);
        if (cpu.env && cpu.env !== id && old.cpu === cpu.number) {
            old.cpu = -1;
            if (!old.ended && old.waitsFor >= 0)
                old.track.begin(event.t, BLOCKED, old.waitsFor, event.i);
            else if (!old.ended)
                old.track.begin(event.t, READY, 0, event.i);
        }
        cpu.env = id;
        env.cpu = cpu.number;
        if (event.code === RUN)
            env.waitsFor = -1;
    }

    // An environment no longer waits for anything.
    wake(id, event) {
        const env = this.env(id), last = env.track.length - 1;
        env.waitsFor = -1;
        if (env.cpu < 0 && !env.ended && (last < 0 || env.track.cls.data[last] === BLOCKED))
            env.track.begin(event.t, READY, 0, event.i);
    }

    setLock(cpu, state, event) {
        if (!cpu.lockSeen && state === FREE) // It was held before the first event.
            cpu.lock.begin(0, HELD, event.env, event.i);
        cpu.lockSeen = true;
        cpu.lockState = state;
        cpu.lock.begin(event.t, state, event.env, event.i);
        if (state === HELD) {
            this.holder = cpu.number;
            this.bigLock.begin(event.t, HELD, event.env, event.i);
        } else if (state === FREE && this.holder === cpu.number) {
            this.holder = -1;
            this.bigLock.begin(event.t, FREE, 0, event.i);
        }
    }
}

const HANDLERS = {
    [ENTER](all, cpu, event) {
        const vector = event.arg & 0xff;
        all.setMode(cpu, KERNEL, event);
        all.arrows.arrive(ipiKey(cpu.number, vector), event.t, cpu.number);
        if (vector === SYSCALL_VECTOR) {
            cpu.calls++;
            all.env(event.env).calls++;
        } else if (vector >= 32) {
            cpu.interrupts++;
        }
    },
    [LEAVE](all, cpu, event) {
        all.setMode(cpu, USER, event);
    },
    [LOCK_WAIT](all, cpu, event) {
        all.setLock(cpu, WAITING, event);
    },
    [LOCK_SLEEP](all, cpu, event) {
        all.setLock(cpu, ASLEEP, event);
    },
    [LOCK_TAKEN](all, cpu, event) {
        all.setLock(cpu, HELD, event);
    },
    [LOCK_DROP](all, cpu, event) {
        all.setLock(cpu, FREE, event);
    },
    [RUN](all, cpu, event) {
        all.putOn(cpu, event.env, event);
        all.setMode(cpu, KERNEL, event);
        all.arrows.arrive(envKey(event.env), event.t, cpu.number);
        cpu.switches++;
        all.env(event.env).switches++;
    },
    [IDLE_EVENT](all, cpu, event) {
        all.putOn(cpu, 0, event);
        all.setMode(cpu, IDLE, event);
    },
    [HALT](all, cpu, event) {
        all.setMode(cpu, HALTED, event);
    },
    [INTERRUPT](all, cpu, event) {
        if (cpu.mode === HALTED)
            all.setMode(cpu, IDLE, event);
        all.arrows.arrive(ipiKey(cpu.number, event.arg & 0xff), event.t, cpu.number);
        cpu.interrupts++;
    },
    [IPI](all, cpu, event) {
        const to = (event.arg >>> 8) % 256;
        cpu.ipis++;
        all.arrows.begin(IPI_ARROW, ipiKey(to, event.arg & 0xff), event.t, cpu.number, event.env,
            event.i, to, 0);
    },
    [MESSAGE](all, cpu, event) {
        cpu.messages++;
        all.env(event.env).sent++;
        all.env(event.arg).received++;
        if (all.env(event.env).waitsFor === SENDING) {
            all.arrows.arrive(senderKey(event.env), event.t, cpu.number, event.arg);
            all.wake(event.env, event);
        } else {
            all.arrows.begin(MESSAGE_ARROW, envKey(event.arg), event.t, cpu.number, event.env,
                event.i, 255, event.arg);
        }
        if (all.env(event.arg).cpu >= 0)
            all.arrows.arrive(envKey(event.arg), event.t, all.env(event.arg).cpu);
        all.wake(event.arg, event);
    },
    [BLOCK](all, cpu, event) {
        all.env(event.env).waitsFor = event.arg;
        if (event.arg === SENDING)
            all.arrows.begin(MESSAGE_ARROW, senderKey(event.env), event.t, cpu.number, event.env,
                event.i, 255, 0);
    },
    [FORK](all, cpu, event) {
        const child = all.env(event.arg);
        child.track.begin(event.t, BLOCKED, NOT_STARTED, event.i);
        all.arrows.begin(FORK_ARROW, envKey(event.arg), event.t, cpu.number, event.env, event.i,
            255, event.arg);
    },
    [DESTROY](all, cpu, event) {
        const env = all.env(event.arg);
        env.ended = true;
        env.track.begin(event.t, ABSENT, 0, event.i);
    },
    [FAULT](all, cpu, event) {
        cpu.faults++;
        all.env(event.env).faults++;
    },
};

// Events and intervals in plain words.

import { formatSpan, hex8 } from "./format.js";
import {
    ABSENT, ASLEEP, BLOCKED, FREE, HALTED, HELD, IDLE, KERNEL, ON_KERNEL, ON_USER,
    READY, UNKNOWN, USER, WAITING,
} from "./intervals.js";
import {
    BLOCK, DESTROY, ENTER, FAULT, FORK, HALT, IDLE_EVENT, INTERRUPT, IPI, LEAVE, LOCK_DROP,
    LOCK_SLEEP, LOCK_TAKEN, LOCK_WAIT, MESSAGE, RUN, SYSCALL_VECTOR,
} from "./trace.js";

const WAITS_FOR = ["to receive a message", "to send a message", "for a key", "for something",
    "for its parent to start it"];
const PAGE_FAULT = 14, FIRST_INTERRUPT = 32;

// "00001003 (primes)", or "00001003" if the program is unknown.
export function envName(trace, id) {
    const program = trace.programOf(id);
    return hex8(id) + (program ? ` (${program})` : "");
}

function environment(trace, id) {
    return id ? `environment ${envName(trace, id)}` : "no environment";
}

export function trapName(trace, vector) {
    return trace.traps[vector] || `trap ${vector}`;
}

function callName(trace, number) {
    return trace.calls[number] || `call ${number}`;
}

// Why the kernel was entered, in a word or two: for labels.
export function entryName(trace, arg) {
    const vector = arg & 0xff;
    return vector === SYSCALL_VECTOR ? callName(trace, arg >>> 8) : trapName(trace, vector);
}

function enterWords(trace, env, arg) {
    const vector = arg & 0xff, who = environment(trace, env);
    if (vector === SYSCALL_VECTOR)
        return `${who} calls ${callName(trace, arg >>> 8)}`;
    if (vector >= FIRST_INTERRUPT)
        return `${who} is interrupted: ${trapName(trace, vector)}`;
    return vector === PAGE_FAULT ? `${who} has a page fault`
        : `${who} traps: ${trapName(trace, vector)}`;
}

const SENTENCES = {
    [ENTER]: (trace, e) => enterWords(trace, e.env, e.arg),
    [LEAVE]: (trace, e) => `${environment(trace, e.env)} returns to user mode`,
    [LOCK_WAIT]: (trace, e) => `CPU ${e.cpu} starts to wait for the big lock`,
    [LOCK_SLEEP]: (trace, e) => `CPU ${e.cpu} halts while it waits for the big lock`,
    [LOCK_TAKEN]: (trace, e) => `CPU ${e.cpu} takes the big lock`,
    [LOCK_DROP]: (trace, e) => `CPU ${e.cpu} drops the big lock`,
    [RUN]: (trace, e) => `${environment(trace, e.env)} is put on CPU ${e.cpu}`,
    [IDLE_EVENT]: (trace, e) => `CPU ${e.cpu} has no environment to run: it is idle`,
    [HALT]: (trace, e) => `CPU ${e.cpu} halts until an interrupt`,
    [INTERRUPT]: (trace, e) =>
        `an interrupt wakes CPU ${e.cpu}: ${trapName(trace, e.arg & 0xff)}`,
    [IPI]: (trace, e) =>
        `CPU ${e.cpu} interrupts CPU ${(e.arg >>> 8) & 0xff}: ${trapName(trace, e.arg & 0xff)}`,
    [MESSAGE]: (trace, e) => e.env && e.env !== e.arg
        ? `the message of ${environment(trace, e.env)} is delivered to ${envName(trace, e.arg)}`
        : `a message is delivered to ${envName(trace, e.arg)}`,
    [BLOCK]: (trace, e) =>
        `${environment(trace, e.env)} begins to wait ${WAITS_FOR[e.arg] || WAITS_FOR[3]}`,
    [FORK]: (trace, e) => e.env
        ? `${environment(trace, e.env)} makes the child ${envName(trace, e.arg)}`
        : `the kernel makes ${environment(trace, e.arg)}`,
    [DESTROY]: (trace, e) => `${environment(trace, e.arg)} ends`,
    [FAULT]: (trace, e) => `${environment(trace, e.env)} has a page fault at ${hex8(e.arg)}`,
};

// Event i as a sentence without a full stop.
export function sentence(trace, i) {
    const e = { cpu: trace.cpu.data[i], env: trace.env.data[i], arg: trace.arg.data[i] };
    const words = SENTENCES[trace.code(i)];
    return words ? words(trace, e)
        : `${trace.kinds[trace.kind.data[i]]}, argument ${e.arg} (0x${hex8(e.arg)})`;
}

const CPU_STATES = {
    [USER]: "in user mode", [KERNEL]: "in the kernel", [IDLE]: "idle, polls for work",
    [HALTED]: "idle, halted", [UNKNOWN]: "unknown",
};
const LOCK_STATES = {
    [HELD]: "holds the big lock", [WAITING]: "waits for the big lock",
    [ASLEEP]: "waits for the big lock, halted", [FREE]: "does not use the big lock",
};
const ENV_STATES = {
    [ON_USER]: value => `runs in user mode on CPU ${value}`,
    [ON_KERNEL]: value => `runs in the kernel on CPU ${value}`,
    [READY]: () => "is ready: it waits for a CPU",
    [BLOCKED]: value => `waits ${WAITS_FOR[value] || WAITS_FOR[3]}`,
    [ABSENT]: () => "has ended",
};

function length(trace, track, i) {
    return formatSpan(track.endOf(i) - track.start.data[i], trace.ticksPerSecond);
}

// What a CPU's kernel interval is for: the name of the call or trap, "" if it began otherwise.
export function kernelReason(trace, track, i) {
    const event = track.event.data[i];
    if (event < 0)
        return "";
    if (trace.code(event) === ENTER)
        return entryName(trace, trace.arg.data[event]);
    return trace.code(event) === RUN ? "switch" : "";
}

// Interval i of a CPU's track, of a CPU's use of the lock, of an environment's track.
export function cpuWords(trace, track, i) {
    const cls = track.cls.data[i], env = track.value.data[i];
    const reason = cls === KERNEL ? kernelReason(trace, track, i) : "";
    const who = env ? `${envName(trace, env)}: ` : "";
    return `${who}${CPU_STATES[cls]}${reason ? ` (${reason})` : ""}, ${length(trace, track, i)}`;
}

export function lockWords(trace, track, i) {
    return `${LOCK_STATES[track.cls.data[i]]}, ${length(trace, track, i)}`;
}

export function envWords(trace, track, i) {
    const words = ENV_STATES[track.cls.data[i]](track.value.data[i]);
    return `${words}, ${length(trace, track, i)}`;
}

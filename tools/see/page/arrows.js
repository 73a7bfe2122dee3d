// The arrows: from a message, a fork or an interrupt between CPUs to where it takes effect. This is
// where the receiver or the child runs next, or where the interrupt arrives. If a sender waits for
// its receiver, its message's arrow goes from the start of this wait to the delivery.

import { Column } from "./columns.js";

export const MESSAGE_ARROW = 0, FORK_ARROW = 1, IPI_ARROW = 2;

export class Arrows {
    constructor() {
        this.kind = new Column(Uint8Array);
        this.from = new Column(Float64Array); // Times; sorted
        this.to = new Column(Float64Array); // NaN: it has not arrived
        this.fromCpu = new Column(Uint8Array);
        this.toCpu = new Column(Uint8Array);
        this.fromEnv = new Column(Int32Array);
        this.toEnv = new Column(Int32Array);
        this.event = new Column(Int32Array); // The event at its start
        this.arrivals = new Column(Int32Array); // Arrows in the order of their arrivals
        this.arrivalTimes = new Column(Float64Array); // The same arrows' times of arrival
        this.byEvent = new Map();
        this.pending = new Map(); // What an arrow waits for -> the arrows
    }

    // An arrow starts at an event, and waits for `key`: see the functions below. Where they are not
    // yet known, `toCpu` is 255, and `toEnv` 0.
    begin(kind, key, t, cpu, env, event, toCpu, toEnv) {
        const arrow = this.kind.length;
        this.kind.push(kind);
        this.from.push(t);
        this.to.push(NaN);
        this.fromCpu.push(cpu);
        this.toCpu.push(toCpu);
        this.fromEnv.push(env);
        this.toEnv.push(toEnv);
        this.event.push(event);
        this.byEvent.set(event, arrow);
        if (this.pending.has(key))
            this.pending.get(key).push(arrow);
        else
            this.pending.set(key, [arrow]);
    }

    // All arrows that wait for `key` arrive on a CPU; and for an environment, if `env` is not 0.
    arrive(key, t, cpu, env = 0) {
        const arrows = this.pending.get(key);
        if (!arrows)
            return;
        this.pending.delete(key);
        for (const arrow of arrows) {
            this.to.data[arrow] = t;
            this.toCpu.data[arrow] = cpu;
            this.toEnv.data[arrow] = env || this.toEnv.data[arrow];
            this.arrivals.push(arrow);
            this.arrivalTimes.push(t);
        }
    }

    // The arrows that start or arrive from t0 to t1: at most `limit` of them. Also returns how many
    // there are.
    between(t0, t1, limit) {
        const first = this.from.countBelow(t0), last = this.from.countBelow(t1, first);
        const firstEnd = this.arrivalTimes.countBelow(t0);
        const lastEnd = this.arrivalTimes.countBelow(t1, firstEnd);
        const found = [];
        for (let i = firstEnd; i < lastEnd && found.length < limit; i++)
            if (this.from.data[this.arrivals.data[i]] < t0)
                found.push(this.arrivals.data[i]);
        for (let i = first; i < last && found.length < limit; i++)
            found.push(i);
        return { arrows: found, count: Math.max(last - first, lastEnd - firstEnd) };
    }
}

// An environment runs.
export function envKey(id) {
    return id;
}

// The message of an environment that waits in a send is delivered.
export function senderKey(id) {
    return `sender ${id}`;
}

// An interrupt arrives.
export function ipiKey(cpu, vector) {
    return -1 - (cpu * 256 + vector);
}

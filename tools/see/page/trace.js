// The trace: the events in columns, and the names of what they mention. tools/see/decode.py
// describes the model. Times are in ticks since the first event.

import { Column } from "./columns.js";

// The kinds of events that the viewer understands. A model may have more; they are shown by name.
const KIND_NAMES = ["enter", "leave", "lock_wait", "lock_sleep", "lock_taken", "lock_drop",
    "run", "idle", "halt", "interrupt", "ipi", "message", "block", "fork", "destroy", "fault"];
export const [ENTER, LEAVE, LOCK_WAIT, LOCK_SLEEP, LOCK_TAKEN, LOCK_DROP, RUN, IDLE_EVENT, HALT,
    INTERRUPT, IPI, MESSAGE, BLOCK, FORK, DESTROY, FAULT] = KIND_NAMES.keys();

export const SYSCALL_VECTOR = 0x30;

// The columns of the events, with the smallest and the largest value of each.
const EVENT_COLUMNS = {
    t: [Float64Array, 0, Number.MAX_SAFE_INTEGER], cpu: [Uint8Array, 0, 255],
    kind: [Uint8Array, 0, 255], env: [Int32Array, 0, 0x7fffffff],
    arg: [Uint32Array, 0, 0xffffffff], place: [Int32Array, -1, 0x7fffffff],
};

export class Trace {
    // `model` is an object with the model's members. Its events may be empty.
    constructor(model) {
        if (!(model.cpus >= 1 && model.cpus <= 255) || !(model.ticks_per_second > 0))
            throw new Error("wrong model: cpus or ticks_per_second");
        this.program = model.program || "";
        this.command = model.command || "";
        this.cpus = model.cpus;
        this.ticksPerSecond = model.ticks_per_second;
        this.lost = model.lost || [];
        this.calls = model.calls || [];
        this.traps = model.traps || {};
        this.places = [];
        this.envs = new Map(); // id -> { id, program, parent }
        this.kinds = []; // The model's number of a kind -> its name
        this.codes = []; // The model's number of a kind -> one of the constants above
        for (const [name, [type]] of Object.entries(EVENT_COLUMNS))
            this[name] = new Column(type);
        this.setKinds(model.kinds || KIND_NAMES);
        this.append(model.events || {}, model);
    }

    setKinds(names) {
        this.kinds = names;
        this.codes = names.map(name => {
            const code = KIND_NAMES.indexOf(name);
            return code < 0 ? 255 : code;
        });
    }

    get length() {
        return this.t.length;
    }

    // The time of the last event.
    get end() {
        return this.length ? this.t.data[this.length - 1] : 0;
    }

    // Append events: columns of equal length, whose times continue those before. `more` may have
    // new `envs`, `places` and `lost`. Wrong columns throw an Error, and nothing is appended.
    append(events, more = {}) {
        const placeCount = this.places.length + (more.places || []).length;
        this.check(events, placeCount);
        for (const env of more.envs || [])
            this.envs.set(env.id, env);
        for (const place of more.places || [])
            this.places.push(place);
        this.lost = more.lost || this.lost;
        for (const name of Object.keys(EVENT_COLUMNS)) {
            const column = this[name], values = events[name] || [];
            column.reserve(column.length + values.length);
            for (let i = 0; i < values.length; i++)
                column.push(values[i]);
        }
    }

    check(events, placeCount) {
        const length = (events.t || []).length;
        for (const [name, [, low, high]] of Object.entries(EVENT_COLUMNS)) {
            const values = events[name] || [];
            if (values.length !== length)
                throw new Error(`wrong events: ${name} has ${values.length} values, not ${length}`);
            for (let i = 0; i < length; i++)
                if (!(values[i] >= low && values[i] <= high))
                    throw new Error(`wrong events: ${name}[${i}] is ${values[i]}`);
        }
        let before = this.end;
        for (let i = 0; i < length; i++) {
            if (events.t[i] < before)
                throw new Error(`wrong events: t[${i}] is earlier than the event before`);
            before = events.t[i];
            if (events.cpu[i] >= this.cpus || events.kind[i] >= this.kinds.length ||
                events.place[i] >= placeCount)
                throw new Error(`wrong events: event ${i} has a number that is too large`);
        }
    }

    // What the event i is: one of the constants above, or 255.
    code(i) {
        return this.codes[this.kind.data[i]];
    }

    // The name of the program of an environment, "" if it is unknown.
    programOf(id) {
        const env = this.envs.get(id);
        return env ? env.program : "";
    }

    // The source function and line of event i, "" if they are unknown.
    placeOf(i) {
        return this.places[this.place.data[i]] || "";
    }

    // The indices of the columns' values at a time: the first event at or after `t`.
    firstAt(t) {
        return this.t.countBelow(t);
    }
}

// Search: which events match a text. Each word of the text must be in the event's kind, CPU
// ("cpu2"), environment (its id or program), in the call, trap or argument, or in the source
// function and line. Upper and lower case are the same.

import { hex8 } from "./format.js";
import { entryName, trapName } from "./words.js";
import { DESTROY, ENTER, FAULT, FORK, INTERRUPT, IPI, MESSAGE } from "./trace.js";

// Further words for kinds, as a reader may type them.
const MORE_WORDS = {
    enter: "enter call trap", fault: "fault page fault", fork: "fork child", destroy: "destroy end",
    ipi: "ipi interrupt", run: "run switch", message: "message send ipc",
    block: "block wait", lock_wait: "lock_wait lock wait", lock_sleep: "lock_sleep lock sleep",
    lock_taken: "lock_taken lock taken", lock_drop: "lock_drop lock drop",
};

// A function that remembers its results.
function remember(compute) {
    const known = new Map();
    return key => {
        if (!known.has(key))
            known.set(key, compute(key));
        return known.get(key);
    };
}

// A function of an event's number: whether the event has the word.
function matcher(trace, word) {
    const has = text => text.toLowerCase().includes(word);
    const kinds = trace.kinds.map(name => has(MORE_WORDS[name] || name));
    const places = trace.places.map(has);
    const env = remember(id => id > 0 && has(`${hex8(id)} ${trace.programOf(id)}`));
    const entry = remember(arg => has(entryName(trace, arg)));
    const trap = remember(vector => has(trapName(trace, vector)));
    const address = remember(value => has(`0x${hex8(value)}`));
    const byArgument = {
        [ENTER]: entry, [INTERRUPT]: arg => trap(arg & 0xff), [IPI]: arg => trap(arg & 0xff),
        [MESSAGE]: env, [FORK]: env, [DESTROY]: env, [FAULT]: address,
    };
    const cpu = /^cpu(\d+)$/.exec(word);
    return i => {
        if (cpu)
            return trace.cpu.data[i] === Number(cpu[1]);
        const place = trace.place.data[i], argument = byArgument[trace.code(i)];
        return kinds[trace.kind.data[i]] || (place >= 0 && places[place]) ||
            env(trace.env.data[i]) || Boolean(argument && argument(trace.arg.data[i]));
    };
}

// The numbers of the events that match, in the order of time. An empty text matches nothing.
export function findEvents(trace, text) {
    const words = text.toLowerCase().split(/\s+/).filter(word => word);
    const tests = words.map(word => matcher(trace, word));
    const found = [];
    for (let i = 0; words.length && i < trace.length; i++)
        if (tests.every(test => test(i)))
            found.push(i);
    return Int32Array.from(found);
}

// A track: what one thing (a CPU, the lock, an environment) does over time, as intervals without
// gaps. Each interval has a class (a small number, for example "in user mode") and a value (for
// example the environment). A track answers two questions about any span of time in a number of
// steps that grows only with the logarithm of its length: how much time of each class is in the
// span, and which is the longest interval of class 0. So the drawing never visits all intervals.

import { Column } from "./columns.js";

const BLOCK_SIZE = 32; // Intervals in a block, blocks in a block of the next level

export class Track {
    // The time of the classes 0 to `classes` - 1 is summed; larger classes are allowed.
    constructor(classes) {
        this.start = new Column(Float64Array);
        this.cls = new Column(Uint8Array);
        this.value = new Column(Int32Array);
        this.event = new Column(Int32Array); // The event that began the interval, or -1
        this.sums = []; // sums[c].data[i]: the time in class c before interval i
        for (let c = 0; c < classes; c++)
            this.sums.push(new Column(Float64Array));
        this.longestOf = []; // By level: the longest interval of class 0 of each block, or -1
        this.end = 0; // Where the last interval ends
    }

    get length() {
        return this.start.length;
    }

    endOf(i) {
        return i + 1 < this.length ? this.start.data[i + 1] : this.end;
    }

    // Begin an interval at `t`, which ends the one before.
    begin(t, cls, value, event) {
        const last = this.length - 1;
        if (last >= 0 && this.start.data[last] === t) { // The one before has no length: replace it.
            this.cls.data[last] = cls;
            this.value.data[last] = value;
            this.event.data[last] = event;
            return;
        }
        this.start.push(t);
        this.cls.push(cls);
        this.value.push(value);
        this.event.push(event);
        for (let c = 0; c < this.sums.length; c++)
            this.sums[c].push(last < 0 ? 0 : this.timeBefore(c, last, t));
        if (last >= 0)
            this.noteLongest(last);
    }

    // The time in class c from the start of the track until `t`, which is in interval i.
    timeBefore(c, i, t) {
        const inside = this.cls.data[i] === c ? Math.max(0, t - this.start.data[i]) : 0;
        return this.sums[c].data[i] + inside;
    }

    // The last interval that starts at or before `t`; the search begins at interval `from`.
    seek(from, t) {
        let step = 1;
        while (from + step < this.length && this.start.data[from + step] <= t)
            step *= 2;
        let low = from + (step >> 1), high = Math.min(this.length, from + step);
        while (high - low > 1) {
            const middle = (low + high) >> 1;
            if (this.start.data[middle] <= t)
                low = middle;
            else
                high = middle;
        }
        return step === 1 ? from : low;
    }

    // Interval i has ended: note it in its blocks if it is the longest there.
    noteLongest(i) {
        let size = BLOCK_SIZE;
        for (let level = 0; level === 0 || size <= this.length; level++, size *= BLOCK_SIZE) {
            if (level === this.longestOf.length)
                this.addLevel(i, size);
            const blocks = this.longestOf[level], b = Math.floor(i / size);
            while (blocks.length <= b)
                blocks.push(-1);
            if (this.cls.data[i] === 0 && this.isLonger(i, blocks.data[b]))
                blocks.data[b] = i;
        }
    }

    // Begin a level of blocks of `size` intervals; those before interval i have ended.
    addLevel(i, size) {
        const blocks = new Column(Int32Array);
        this.longestOf.push(blocks);
        for (let from = 0; from < i; from += size)
            blocks.push(this.longest(from, Math.min(i, from + size), this.longestOf.length - 1));
    }

    isLonger(i, other) {
        return other < 0 || this.endOf(i) - this.start.data[i] >
            this.endOf(other) - this.start.data[other];
    }

    // The longest interval of class 0 of from <= i < to, or -1. All of them have ended.
    longest(from, to, levels = this.longestOf.length) {
        let best = -1;
        for (let i = from; i < to;) {
            let level = 0, size = 1;
            while (level < levels && i % (size * BLOCK_SIZE) === 0 && i + size * BLOCK_SIZE <= to) {
                level++;
                size *= BLOCK_SIZE;
            }
            const found = level ? this.longestOf[level - 1].data[i / size]
                : this.cls.data[i] === 0 ? i : -1;
            if (found >= 0 && this.isLonger(found, best))
                best = found;
            i += size;
        }
        return best;
    }
}

// A typed array that grows: the events and everything derived from them are kept in such columns.

export class Column {
    // `type` is the class of the typed array, for example Float64Array.
    constructor(type) {
        this.data = new type(1024);
        this.length = 0;
    }

    push(value) {
        if (this.length === this.data.length)
            this.reserve(2 * this.length);
        this.data[this.length++] = value;
    }

    // Make room for `size` values without another copy.
    reserve(size) {
        if (size <= this.data.length)
            return;
        const old = this.data;
        this.data = new old.constructor(size);
        this.data.set(old);
    }

    // The number of values below `limit` in a sorted column: the index of the first other value.
    countBelow(limit, from = 0, to = this.length) {
        while (from < to) {
            const middle = (from + to) >> 1;
            if (this.data[middle] < limit)
                from = middle + 1;
            else
                to = middle;
        }
        return from;
    }
}

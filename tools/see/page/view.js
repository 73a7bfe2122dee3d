// The part of the trace that is shown: which time is at which pixel. x = 0 is the left edge of the
// lanes, right of their labels. Times are in ticks.

const FEWEST_TICKS = 20; // That are shown
const MARGIN = 0.02; // Of the width, on each side of the whole trace

export class View {
    constructor() {
        this.t0 = 0; // The time at x = 0
        this.perPixel = 1; // Ticks
        this.width = 1;
        this.end = 1; // Of the trace
    }

    get t1() {
        return this.t0 + this.width * this.perPixel;
    }

    t(x) {
        return this.t0 + x * this.perPixel;
    }

    x(t) {
        return (t - this.t0) / this.perPixel;
    }

    // The largest number of ticks per pixel: the whole trace with its margins.
    get widest() {
        return Math.max(this.end, FEWEST_TICKS) * (1 + 2 * MARGIN) / this.width;
    }

    get showsAll() {
        return this.perPixel >= this.widest * 0.999;
    }

    showAll() {
        this.perPixel = this.widest;
        this.limit();
    }

    show(t0, t1) {
        this.t0 = t0;
        this.perPixel = (t1 - t0) / this.width;
        this.limit();
    }

    // Show a time in the middle.
    centre(t) {
        this.t0 = t - this.width * this.perPixel / 2;
        this.limit();
    }

    // A factor below 1 zooms in. The time at x stays where it is.
    zoom(factor, x) {
        const t = this.t(x);
        this.perPixel *= factor;
        this.limitZoom();
        this.t0 = t - x * this.perPixel;
        this.limit();
    }

    pan(pixels) {
        this.t0 += pixels * this.perPixel;
        this.limit();
    }

    resize(width) {
        const all = this.showsAll;
        this.width = Math.max(1, width);
        if (all)
            this.showAll();
        this.limit();
    }

    limitZoom() {
        const least = FEWEST_TICKS / this.width;
        this.perPixel = Math.min(Math.max(this.perPixel, least), Math.max(this.widest, least));
    }

    // At least a part of the trace stays in view: half the width may be empty.
    limit() {
        this.limitZoom();
        const span = this.width * this.perPixel;
        if (this.perPixel >= this.widest)
            this.t0 = (this.end - span) / 2;
        this.t0 = Math.min(Math.max(this.t0, -span / 2), Math.max(this.end - span / 2, 0));
    }
}

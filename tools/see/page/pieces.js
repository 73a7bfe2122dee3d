// The level of detail: what of a track is drawn at each pixel. The number of steps depends on the
// number of pixels, not on the number of intervals.

// Call solid(x0, x1, i) where the pixels x0 <= x < x1 show interval i alone, and mixed(x, i, j, t,
// next) where the pixel x, from the time `t` to `next`, has parts of the intervals i to j.
export function forPieces(track, view, solid, mixed) {
    if (!track.length)
        return;
    const begin = track.start.data[0];
    const last = Math.min(view.width, Math.ceil(view.x(track.end)));
    let run = -1, runX = 0; // The interval that the pixels from runX on show alone
    let x = Math.max(0, Math.floor(view.x(begin))), i = 0;
    const show = (interval, at) => {
        if (interval === run)
            return;
        if (run >= 0 && at > runX)
            solid(runX, at, run);
        run = interval;
        runX = at;
    };
    while (x < last) {
        const t = Math.max(view.t(x), begin), next = view.t(x + 1);
        i = track.seek(i, t);
        if (i === track.length - 1 || track.endOf(i) >= next) {
            show(i, x);
            x = i === track.length - 1 ? last : Math.max(x + 1, Math.floor(view.x(track.endOf(i))));
            continue;
        }
        const j = track.seek(i, next);
        if (j === i + 1) {
            show(track.start.data[j] - t >= next - track.start.data[j] ? i : j, x);
        } else {
            show(-1, x);
            mixed(x, i, j, t, Math.min(next, track.end));
        }
        x++;
    }
    show(-1, Math.min(x, last));
}

// The part of class c, from 0 to 1, of the time from `t` (in interval i) to `next` (in interval j).
export function share(track, c, i, j, t, next) {
    return (track.timeBefore(c, j, next) - track.timeBefore(c, i, t)) / (next - t);
}

// The interval of class 0 that has the most of the time from `t` (in i) to `next` (in j), or -1.
export function mostOf(track, i, j, t, next) {
    let best = i + 1 < j ? track.longest(i + 1, j) : -1;
    let time = best < 0 ? 0 : track.endOf(best) - track.start.data[best];
    if (track.cls.data[i] === 0 && track.endOf(i) - t > time) {
        best = i;
        time = track.endOf(i) - t;
    }
    if (track.cls.data[j] === 0 && next - track.start.data[j] > time)
        best = j;
    return best;
}

// Draws the ruler above the lanes: the time, with lines through the lanes.

export const RULER_HEIGHT = 26;
const PIXELS_PER_LABEL = 110;
const LABEL_UNITS = [[1, "s"], [1e3, "ms"], [1e6, "µs"], [1e9, "ns"]];

// A step of 1, 2 or 5 times a power of ten, not below `least`.
function roundStep(least) {
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map(k => k * power).find(step => step >= least * 0.999);
}

// All labels of a ruler have the same unit, which depends on the step.
function label(seconds, step) {
    const [size, unit] = LABEL_UNITS.find(([size]) => step * size >= 1) || LABEL_UNITS[3];
    return `${Number((seconds * size).toFixed(3)).toLocaleString("en")} ${unit}`;
}

export function drawRuler(frame, height) {
    const { view, context, paint, trace } = frame, rate = trace.ticksPerSecond;
    const step = roundStep(PIXELS_PER_LABEL * view.perPixel / rate);
    const first = Math.max(0, Math.ceil(view.t0 / rate / step));
    const last = Math.floor(Math.min(view.t1, view.end) / rate / step);
    context.font = frame.smallFont;
    context.textAlign = "left";
    context.textBaseline = "middle";
    for (let k = first; k <= last; k++) {
        const x = Math.round(view.x(k * step * rate));
        frame.rectangle(paint.theme.grid, x, RULER_HEIGHT - 8, 1, height);
        frame.colour = context.fillStyle = paint.theme.soft;
        context.fillText(label(k * step, step), x + 4, RULER_HEIGHT / 2 - 2);
    }
}

// A small mark on the ruler for each event that the search has found, at most one per pixel.
export function drawMatches(frame, matches) {
    const { view, trace, paint } = frame;
    for (let x = 0, k = 0; x < view.width && k < matches.length; x++) {
        let low = k, high = matches.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (trace.t.data[matches[middle]] < view.t(x))
                low = middle + 1;
            else
                high = middle;
        }
        k = low;
        if (k < matches.length && trace.t.data[matches[k]] < view.t(x + 1))
            frame.rectangle(paint.theme.match, x - 1, RULER_HEIGHT - 7, 3, 7);
    }
}

// Draws the marks of single events above the bars, and the arrows between lanes.

import { FORK_ARROW, IPI_ARROW } from "./arrows.js";
import { BLOCK, DESTROY, FAULT, FORK, INTERRUPT, IPI, MESSAGE } from "./trace.js";

const PIXELS_PER_MARK = 7; // Marks are drawn if each has this many pixels on average
const PIXELS_PER_ARROW = 12; // Arrows are drawn if each has this many pixels on average

// The shapes of the marks, on a square of 8 by 8 pixels around (0, 0).
const SHAPES = {
    [FAULT]: path => polygon(path, 0, -4, 4, 4, -4, 4),
    [DESTROY]: path => {
        polygon(path, -4, -3, -3, -4, 4, 3, 3, 4);
        polygon(path, 3, -4, 4, -3, -3, 4, -4, 3);
    },
    [FORK]: path => polygon(path, 0, -4, 4, 0, 0, 4, -4, 0),
    [MESSAGE]: path => path.arc(0, 0, 3.5, 0, 2 * Math.PI),
    [IPI]: path => polygon(path, 1, -4, -3, 1, 0, 1, -1, 4, 3, -1, 0, -1),
    [INTERRUPT]: path => polygon(path, -4, -4, 4, -4, 0, 4),
    [BLOCK]: path => {
        path.rect(-3, -3.5, 2, 7);
        path.rect(1, -3.5, 2, 7);
    },
};

function polygon(path, ...points) {
    path.moveTo(points[0], points[1]);
    for (let i = 2; i < points.length; i += 2)
        path.lineTo(points[i], points[i + 1]);
    path.closePath();
}

// Draw the mark of an event kind (a constant of trace.js) around a point.
export function drawShape(context, code, x, y) {
    context.save();
    context.translate(x, y);
    context.beginPath();
    if (SHAPES[code])
        SHAPES[code](context);
    else
        context.rect(-0.5, 0, 1, 4);
    context.fill();
    context.restore();
}

// The marks of a lane's events, if they do not overlap too much.
export function drawMarks(frame, lane, y) {
    const { view, trace, context } = frame, { events } = lane, { theme } = frame.paint;
    if (!events)
        return;
    const first = firstEventAt(trace, events, view.t0);
    const last = firstEventAt(trace, events, view.t1);
    if ((last - first) * PIXELS_PER_MARK > view.width)
        return;
    for (let k = first; k < last; k++) {
        const i = events.data[k], code = trace.code(i), env = trace.env.data[i];
        const other = frame.paint.highlighted && env !== frame.paint.highlighted;
        context.fillStyle = other ? theme.grid : SHAPES[code] ? theme.ink : theme.soft;
        drawShape(context, code, view.x(trace.t.data[i]), y + lane.marks + 4);
        frame.counts.marks++;
    }
}

// The index in a lane's column of events of the first event at or after t.
export function firstEventAt(trace, events, t) {
    let low = 0, high = events.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (trace.t.data[events.data[middle]] < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Draw the arrows. laneOf(cpu, env) is the y of the middle of a bar, or undefined. Returns how many
// arrows are in view but not drawn, because they are too many.
export function drawArrows(frame, arrows, laneOf, highlighted, selected) {
    const { view } = frame;
    const most = Math.ceil(view.width / PIXELS_PER_ARROW);
    const found = arrows.between(view.t0, view.t1, highlighted ? 100 * most : most + 1);
    const mine = highlighted ? found.arrows.filter(a => arrows.fromEnv.data[a] === highlighted ||
        arrows.toEnv.data[a] === highlighted) : found.arrows;
    const drawn = mine.length <= most ? mine : [];
    for (const arrow of drawn)
        drawArrow(frame, arrows, arrow, laneOf, arrow === selected);
    if (selected !== undefined && !drawn.includes(selected))
        drawArrow(frame, arrows, selected, laneOf, true);
    return mine.length > most ? found.count : 0;
}

function drawArrow(frame, arrows, arrow, laneOf, selected) {
    const { view, context, paint } = frame, kind = arrows.kind.data[arrow];
    const y0 = laneOf(arrows.fromCpu.data[arrow], arrows.fromEnv.data[arrow]);
    const to = arrows.to.data[arrow];
    const y1 = laneOf(arrows.toCpu.data[arrow], arrows.toEnv.data[arrow]);
    if (y0 === undefined || y1 === undefined || Number.isNaN(to))
        return;
    const x0 = view.x(arrows.from.data[arrow]), x1 = view.x(to);
    const clip = x => Math.min(Math.max(x, -2000), view.width + 2000);
    context.strokeStyle = context.fillStyle = selected ? paint.theme.accent : paint.theme.ink;
    context.globalAlpha = selected || paint.highlighted ? 1 : 0.6;
    context.lineWidth = selected ? 2.5 : 1;
    context.setLineDash(kind === FORK_ARROW ? [6, 3] : kind === IPI_ARROW ? [1.5, 2.5] : []);
    curve(context, clip(x0), y0, clip(x1), y1);
    context.setLineDash([]);
    context.globalAlpha = 1;
    frame.counts.arrows++;
}

// A curve with an arrow head at its end.
function curve(context, x0, y0, x1, y1) {
    const bend = Math.min(60, Math.max(12, Math.abs(x1 - x0) / 2)), up = y0 === y1 ? 22 : 0;
    context.beginPath();
    context.moveTo(x0, y0);
    context.bezierCurveTo(x0 + bend, y0 - up, x1 - bend, y1 - up, x1, y1);
    context.stroke();
    const angle = Math.atan2(up, bend);
    context.save();
    context.translate(x1, y1);
    context.rotate(angle);
    context.setLineDash([]);
    context.beginPath();
    polygon(context, 0, 0, -7, -3.5, -7, 3.5);
    context.fill();
    context.restore();
}

// Draws the bars of a lane. Where several intervals share a pixel, the heights of the colours are
// the shares of the time, and the colour is that of the environment that ran longest.

import { inkOn } from "./colours.js";
import { hex8 } from "./format.js";
import {
    ABSENT, ASLEEP, BLOCKED, FREE, HALTED, HELD, IDLE, KERNEL, ON_KERNEL, ON_USER, READY, USER,
    WAITING,
} from "./intervals.js";
import { forPieces, mostOf, share } from "./pieces.js";
import { kernelReason } from "./words.js";

const LABEL_FROM = 26; // Pixels: narrower intervals have no label
const UNDERLINE = 4; // The environment's colour below its time in the kernel
const STATE_CLASSES = [ON_USER, ON_KERNEL, READY, BLOCKED];

// The labels of an environment, from the longest to the shortest.
function envLabels(trace, env) {
    const id = hex8(env);
    return [`${id} ${trace.programOf(env)}`, id, id.slice(4)];
}

// A number of pixels for a share of `height`: at least 1 if there is anything.
function pixels(part, height) {
    return part > 0 ? Math.max(1, Math.round(part * height)) : 0;
}

// `frame` is a Frame (draw.js). y is the top of the lane on the canvas.
export function drawCpuBars(frame, lane, y) {
    const { track } = lane, { view, paint } = frame;
    const top = y + lane.bar, height = lane.barHeight;
    frame.rectangle(paint.theme.lane, 0, top, view.width, height);
    forPieces(track, view,
        (x0, x1, i) => drawCpuInterval(frame, track, i, x0, x1, top, height),
        (x, i, j, t, next) => {
            const user = pixels(share(track, USER, i, j, t, next), height);
            const kernel = Math.min(height - user,
                pixels(share(track, KERNEL, i, j, t, next), height));
            const most = user ? mostOf(track, i, j, t, next) : -1;
            if (most >= 0)
                frame.column(paint.env(track.value.data[most]), x, top + height - user, user);
            if (kernel)
                frame.column(paint.kernel(0), x, top + height - user - kernel, kernel);
        });
    drawLockUse(frame, lane.lockUse, y + lane.lock, lane.lockHeight);
}

function drawCpuInterval(frame, track, i, x0, x1, top, height) {
    const { paint, patterns, trace } = frame, env = track.value.data[i], width = x1 - x0;
    switch (track.cls.data[i]) {
    case USER: {
        const colour = paint.env(env);
        frame.bar(colour, x0, top, width, height);
        frame.text(inkOn(colour), envLabels(trace, env), x0, width, top + height / 2);
        break;
    }
    case KERNEL:
        frame.bar(paint.kernel(env), x0, top, width, height - UNDERLINE);
        frame.bar(paint.env(env), x0, top + height - UNDERLINE, width, UNDERLINE);
        if (width >= LABEL_FROM)
            frame.text(inkOn(paint.kernel(env)), [kernelReason(trace, track, i)], x0, width,
                top + (height - UNDERLINE) / 2);
        break;
    case IDLE:
        frame.bar(patterns.idle, x0, top, width, height);
        break;
    case HALTED:
        frame.bar(patterns.halted, x0, top, width, height);
        break;
    }
    if (width > 4) // A line between neighbours
        frame.rectangle(paint.theme.page, x1 - 1, top, 1, height);
}

// The thin bar below a CPU's bar: the big lock held, or waited for.
function drawLockUse(frame, track, top, height) {
    const { view, patterns, paint } = frame;
    const colours = { [HELD]: paint.theme.held, [WAITING]: patterns.wait,
        [ASLEEP]: patterns.asleep };
    forPieces(track, view,
        (x0, x1, i) => {
            if (track.cls.data[i] !== FREE)
                frame.bar(colours[track.cls.data[i]], x0, top, x1 - x0, height);
        },
        (x, i, j, t, next) => {
            const held = pixels(share(track, HELD, i, j, t, next), height);
            const waits = share(track, WAITING, i, j, t, next) +
                share(track, ASLEEP, i, j, t, next);
            if (held)
                frame.column(paint.theme.held, x, top + height - held, held);
            if (waits > 0)
                frame.column(paint.theme.wait, x, top,
                    Math.max(1, Math.min(height - held, pixels(waits, height))));
        });
}

// The lane of the big lock: for which environment it is held.
export function drawBigLock(frame, lane, y) {
    const { track } = lane, { view, paint, trace } = frame;
    const top = y + lane.bar, height = lane.barHeight;
    frame.rectangle(paint.theme.lane, 0, top, view.width, height);
    forPieces(track, view,
        (x0, x1, i) => {
            if (track.cls.data[i] !== HELD)
                return;
            const env = track.value.data[i], colour = paint.env(env);
            frame.bar(colour, x0, top, x1 - x0, height);
            if (env)
                frame.text(inkOn(colour), envLabels(trace, env), x0, x1 - x0, top + height / 2);
            if (x1 - x0 > 4)
                frame.rectangle(paint.theme.page, x1 - 1, top, 1, height);
        },
        (x, i, j, t, next) => {
            const held = pixels(share(track, HELD, i, j, t, next), height);
            const most = held ? mostOf(track, i, j, t, next) : -1;
            if (most >= 0)
                frame.column(paint.env(track.value.data[most]), x, top + height - held, held);
        });
}

// The lane of an environment.
export function drawEnvBars(frame, lane, y) {
    const { track, env } = lane, { view, paint } = frame;
    const top = y + lane.bar, height = lane.barHeight;
    const colours = [paint.env(env), paint.kernel(env), paint.theme.ready, paint.theme.lane];
    forPieces(track, view,
        (x0, x1, i) => drawEnvInterval(frame, track, i, x0, x1, top, height, colours),
        (x, i, j, t, next) => {
            let bottom = top + height;
            for (const c of STATE_CLASSES) {
                const part = Math.min(bottom - top,
                    pixels(share(track, c, i, j, t, next), height));
                if (part)
                    frame.column(colours[c], x, bottom - part, part);
                bottom -= part;
            }
        });
}

function drawEnvInterval(frame, track, i, x0, x1, top, height, colours) {
    const { patterns, paint, trace } = frame, width = x1 - x0, cls = track.cls.data[i];
    if (cls === ABSENT)
        return;
    if (cls === BLOCKED) { // A thin line: it exists
        frame.bar(patterns.blocked, x0, top + 2, width, height - 4);
        return;
    }
    if (cls === READY) {
        frame.bar(colours[READY], x0, top + height / 4, width, height / 2);
        return;
    }
    frame.bar(colours[cls], x0, top, width, height);
    if (cls === ON_KERNEL)
        frame.bar(colours[ON_USER], x0, top + height - 3, width, 3);
    const reason = cls === ON_KERNEL ? kernelReason(trace, track, i) : "";
    if (width >= LABEL_FROM)
        frame.text(inkOn(colours[cls]), [reason || `CPU ${track.value.data[i]}`], x0, width,
            top + (cls === ON_KERNEL ? height / 2 - 1 : height / 2));
    if (width > 4)
        frame.rectangle(paint.theme.page, x1 - 1, top, 1, height);
}

// In the CPUs' lanes: the time of one environment again, so that no short interval is hidden.
// bottoms[c] is where the bar of CPU c ends, if it is in view.
export function drawHighlight(frame, env, bottoms) {
    const { view, paint } = frame, { track } = env;
    const draw = (x0, x1, i) => {
        const cls = track.cls.data[i], bottom = bottoms[track.value.data[i]];
        if (bottom !== undefined && (cls === ON_USER || cls === ON_KERNEL))
            frame.rectangle(paint.env(env.id), x0, bottom - UNDERLINE, x1 - x0, UNDERLINE);
    };
    forPieces(track, view, draw, (x, i, j, t, next) => {
        const most = mostOf(track, i, j, t, next);
        if (most >= 0)
            draw(x, x + 1, most);
    });
}

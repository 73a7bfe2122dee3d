// The overview: the whole trace in a strip, with a frame around the part that is shown.

import { USER, KERNEL } from "./intervals.js";
import { share } from "./pieces.js";

export const OVERVIEW_HEIGHT = 30;

// Draw, per pixel, how much of all CPUs' time is in user mode (bottom) and in the kernel (above).
export function drawOverview(context, theme, trace, intervals, width, height) {
    const step = trace.end / width, at = intervals.cpus.map(() => 0);
    context.fillStyle = theme.lane;
    context.fillRect(0, 0, width, height);
    for (let x = 0; x < width && step > 0; x++) {
        const t = x * step, next = t + step;
        let user = 0, kernel = 0;
        intervals.cpus.forEach(({ track }, c) => {
            if (!track.length)
                return;
            const i = track.seek(at[c], t), j = track.seek(i, next);
            at[c] = i;
            user += share(track, USER, i, j, t, next);
            kernel += share(track, KERNEL, i, j, t, next);
        });
        const userHeight = height * user / intervals.cpus.length;
        const kernelHeight = height * kernel / intervals.cpus.length;
        context.fillStyle = theme.accent;
        context.fillRect(x, height - userHeight, 1, userHeight);
        context.fillStyle = theme.kernel;
        context.fillRect(x, height - userHeight - kernelHeight, 1, kernelHeight);
    }
}

// Draw the frame around the part of the trace that `view` shows.
export function drawWindow(context, theme, view, width, height) {
    const scale = width / Math.max(view.end, 1);
    const x0 = Math.max(0, view.t0 * scale), x1 = Math.min(width, view.t1 * scale);
    context.fillStyle = theme.page;
    context.globalAlpha = 0.6;
    context.fillRect(0, 0, x0, height);
    context.fillRect(x1, 0, width - x1, height);
    context.globalAlpha = 1;
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.5;
    context.strokeRect(x0 + 0.75, 0.75, Math.max(3, x1 - x0) - 1.5, height - 1.5);
}

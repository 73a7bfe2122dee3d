// What is at a point of the lanes.

import { FREE, HELD } from "./intervals.js";
import { laneAt } from "./layout.js";
import { firstEventAt } from "./marks.js";
import { cpuWords, envWords, lockWords, sentence } from "./words.js";
import { RULER_HEIGHT } from "./ruler.js";

const NEAR = 5; // Pixels

// The event of a lane that is nearest to x, within a few pixels; or -1.
function nearestEvent(viewer, lane, x) {
    const { trace, view } = viewer;
    if (!lane.events)
        return -1;
    const k = firstEventAt(trace, lane.events, view.t(x));
    let best = -1, distance = NEAR + 1;
    for (const near of [k - 1, k]) {
        if (near < 0 || near >= lane.events.length)
            continue;
        const event = lane.events.data[near], d = Math.abs(view.x(trace.t.data[event]) - x);
        if (d < distance) {
            best = event;
            distance = d;
        }
    }
    return best;
}

// The track of a lane at a height above the lane's top: the bar's, or the lock's.
function trackAt(lane, y) {
    return lane.kind === "cpu" && y >= lane.lock - 1 ? lane.lockUse : lane.track;
}

// x, y: on the canvas, without the labels. Returns { lane, t, event, env, track, interval }: the
// number of the lane, the event to select (-1: none), the environment there; or null.
export function hit(viewer, x, y) {
    const { lanes, view, trace } = viewer;
    const number = y < RULER_HEIGHT ? -1 : laneAt(lanes, y - RULER_HEIGHT + viewer.scrollTop);
    if (number < 0)
        return null;
    const lane = lanes[number], t = view.t(x);
    if (x < 0) // On the label
        return { lane: number, t, event: -1, env: lane.env, track: lane.track, interval: -1 };
    const track = trackAt(lane, y - RULER_HEIGHT + viewer.scrollTop - lane.y);
    let interval = -1, event = nearestEvent(viewer, lane, x), env = lane.env;
    if (track.length && t >= track.start.data[0] && t <= track.end) {
        interval = track.seek(0, t);
        if (event < 0)
            event = track.event.data[interval];
        if (lane.kind !== "env")
            env = track.value.data[interval];
    }
    if (track === lane.lockUse && interval >= 0 && track.cls.data[interval] === FREE)
        env = 0;
    return { lane: number, t: Math.min(Math.max(t, 0), trace.end), event, env, track, interval };
}

// The text of the small window at the mouse.
export function hitWords(viewer, found) {
    const { trace, lanes, view } = viewer, lane = lanes[found.lane], { track, interval } = found;
    const lines = [lane.title];
    if (interval >= 0 && lane.kind === "env")
        lines.push(envWords(trace, track, interval));
    else if (interval >= 0 && track === lane.lockUse)
        lines.push(lockWords(trace, track, interval));
    else if (interval >= 0 && lane.kind === "cpu")
        lines.push(cpuWords(trace, track, interval));
    else if (interval >= 0)
        lines.push(track.cls.data[interval] === HELD ? lockWords(trace, track, interval) : "free");
    if (found.event >= 0 && Math.abs(view.x(trace.t.data[found.event]) - view.x(found.t)) <= NEAR)
        lines.push(sentence(trace, found.event));
    return lines;
}


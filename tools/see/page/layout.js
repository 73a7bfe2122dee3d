// The lanes of the two views: a lane per CPU and one for the big lock, or a lane per environment.
// y = 0 is the top of the first lane.

import { envName } from "./words.js";
import { hex8 } from "./format.js";

// The parts of a lane of a CPU, from its top: with few CPUs, the lanes are higher.
const HIGH_CPU_LANE = { height: 76, marks: 4, bar: 15, barHeight: 36, lock: 54, lockHeight: 10 };
const CPU_LANE = { height: 50, marks: 2, bar: 12, barHeight: 22, lock: 36, lockHeight: 8 };
const FEW_CPUS = 4;
const ENV_LANE = { height: 26, marks: 1, bar: 8, barHeight: 15 };
const LOCK_LANE_HEIGHT = 28;
const WIDE = 600; // A viewer that is narrower has short labels

function place(lanes) {
    let y = 0;
    for (const lane of lanes) {
        lane.y = y;
        y += lane.height;
    }
    return lanes;
}

function cpuLanes(intervals) {
    const sizes = intervals.cpus.length <= FEW_CPUS ? HIGH_CPU_LANE : CPU_LANE;
    const lanes = intervals.cpus.map(cpu => ({
        kind: "cpu", cpu: cpu.number, env: 0, ...sizes, track: cpu.track, lockUse: cpu.lock,
        events: cpu.events, title: `CPU ${cpu.number}`, label: `CPU ${cpu.number}`,
    }));
    lanes.push({
        kind: "lock", cpu: -1, env: 0, height: LOCK_LANE_HEIGHT, bar: 6, barHeight: 14, marks: 0,
        track: intervals.bigLock, events: null, title: "the big lock: who holds it",
        label: "big lock",
    });
    return lanes;
}

function envLanes(trace, intervals, narrow) {
    return [...intervals.envs.values()].filter(env => env.id && env.track.length).map(env => ({
        kind: "env", cpu: -1, env: env.id, ...ENV_LANE, track: env.track, events: env.events,
        title: `environment ${envName(trace, env.id)}`, label: hex8(env.id),
        note: narrow ? "" : trace.programOf(env.id),
    }));
}

// The lanes of a view, "cpus" or "envs", for a viewer of this width in pixels.
export function makeLanes(view, trace, intervals, width) {
    const narrow = width < WIDE;
    return place(view === "cpus" ? cpuLanes(intervals) : envLanes(trace, intervals, narrow));
}

// The width of the labels left of the lanes, in pixels.
export function labelWidth(view, width) {
    return view === "cpus" ? 72 : width < WIDE ? 78 : 152;
}

export function totalHeight(lanes) {
    const last = lanes[lanes.length - 1];
    return last ? last.y + last.height : 0;
}

// The number of the lane at y, or -1.
export function laneAt(lanes, y) {
    let low = 0, high = lanes.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (lanes[middle].y + lanes[middle].height <= y)
            low = middle + 1;
        else
            high = middle;
    }
    return y >= 0 && low < lanes.length ? low : -1;
}

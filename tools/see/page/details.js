// The panel with the selected event.

import { button, element } from "./dom.js";
import { envColour } from "./colours.js";
import { formatMicroseconds, formatNumber, formatSpan } from "./format.js";
import { cpuWords, envName, envWords, lockWords, sentence } from "./words.js";

// "sched_yield kern/sched.c:120" -> the function and the line.
function source(place) {
    if (!place)
        return "unknown";
    const [name, ...rest] = place.split(" ");
    return rest.length ? element("span", {}, element("code", {}, name), " at ",
        element("code", {}, rest.join(" "))) : element("code", {}, name);
}

function envValue(viewer, id) {
    if (!id)
        return "none";
    const swatch = element("span", { class: "see-swatch" });
    swatch.style.background = envColour(id);
    return element("span", {}, swatch, envName(viewer.trace, id));
}

// The states that begin at the event: of the CPU, of the lock, of the environment.
function states(viewer, i) {
    const { trace, intervals } = viewer, t = trace.t.data[i], found = [];
    const cpu = intervals.cpus[trace.cpu.data[i]];
    const add = (track, words) => {
        const k = track.length ? track.seek(0, t) : -1;
        if (k >= 0 && track.event.data[k] === i)
            found.push(words(trace, track, k));
    };
    add(cpu.track, (...args) => `CPU ${cpu.number}: ${cpuWords(...args)}`);
    add(cpu.lock, (...args) => `CPU ${cpu.number}: ${lockWords(...args)}`);
    const env = intervals.envs.get(trace.env.data[i]);
    if (env && env.id)
        add(env.track, (...args) => `environment: ${envWords(...args)}`);
    return found;
}

// What the arrow of the event i says, or "".
function arrowWords(viewer, i) {
    const { arrows } = viewer.intervals, arrow = arrows.byEvent.get(i);
    if (arrow === undefined)
        return "";
    const time = arrows.to.data[arrow] - arrows.from.data[arrow];
    return Number.isNaN(time) ? "no effect in this trace"
        : `on CPU ${arrows.toCpu.data[arrow]}, ` +
          `${formatSpan(time, viewer.trace.ticksPerSecond)} later`;
}

function rows(viewer, i) {
    const { trace } = viewer, t = trace.t.data[i];
    const arrow = arrowWords(viewer, i), begins = states(viewer, i);
    return [
        ["Time", `${formatMicroseconds(t, trace.ticksPerSecond)} µs (${formatNumber(t)} ticks)`],
        ["CPU", String(trace.cpu.data[i])],
        ["Environment", envValue(viewer, trace.env.data[i])],
        ["Source", source(trace.placeOf(i))],
        begins.length ? ["Begins", element("ul", {}, ...begins.map(words =>
            element("li", {}, words)))] : null,
        arrow ? ["Takes effect", arrow] : null,
        ["Record", `${formatNumber(i + 1)} of ${formatNumber(trace.length)}, ` +
            `kind ${trace.kinds[trace.kind.data[i]]}`],
    ].filter(row => row);
}

function firstCapital(text) {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

// Show event i in the panel, or how to select one if i is undefined.
export function showDetails(viewer, i) {
    const { side } = viewer.parts;
    if (i === undefined) {
        side.replaceChildren(element("p", { class: "see-empty" },
            "Click an event, or press Enter in the timeline, to see what it is. Press ? for the " +
            "keys."));
        return;
    }
    const list = element("dl", {});
    for (const [name, value] of rows(viewer, i))
        list.append(element("dt", {}, name), element("dd", {}, value));
    const buttons = element("div", { class: "see-group" },
        button("‹ Event", "Previous event in the lane (Shift-Tab)", () => viewer.step(-1)),
        button("Event ›", "Next event in the lane (Tab)", () => viewer.step(1)),
        button("Zoom", "Zoom to the event's interval (Enter)", () => viewer.zoomToSelected()));
    if (viewer.trace.env.data[i])
        buttons.append(button("Highlight", "Highlight its environment (h)",
            () => viewer.togglePin()));
    if (viewer.intervals.arrows.byEvent.has(i))
        buttons.append(button("Follow →", "Follow its arrow (l)", () => viewer.followArrow()));
    side.replaceChildren(element("h2", {}, firstCapital(sentence(viewer.trace, i))), list, buttons);
}

// The same for the live region, which a screen reader reads.
export function spokenDetails(viewer, i) {
    const { trace } = viewer, time = formatMicroseconds(trace.t.data[i], trace.ticksPerSecond);
    const place = trace.placeOf(i);
    return `${firstCapital(sentence(trace, i))}. At ${time} microseconds, ` +
        `CPU ${trace.cpu.data[i]}${place ? `, in ${place}` : ""}.`;
}

// The viewer: shows a trace in an element of a page.
//
//     const viewer = createViewer(document.getElementById("here"), model);
//     viewer.append(events, { envs, places });  // later, any number of times
//
// The page includes style.css. The viewer takes the width of the element.

import { Stage } from "./stage.js";
import { Summary } from "./summary.js";
import { drawLegend } from "./legend.js";
import { findEvents } from "./search.js";
import { firstEventAt } from "./marks.js";
import { formatNumber, formatSpan } from "./format.js";
import { hit, hitWords } from "./hit.js";
import { listenToKeys } from "./keys.js";
import { listenToMouse } from "./mouse.js";
import { showDetails, spokenDetails } from "./details.js";

const HOVER_MS = 60; // How long the mouse rests before its environment is highlighted
const SUMMARY_MS = 500; // How often the summary follows appended events

// Show a model (tools/see/decode.py) in an element. Returns the Viewer.
export function createViewer(container, model) {
    return new Viewer(container, model);
}

// What the buttons do.
function makeActions(viewerOf) {
    return {
        otherView: () => viewerOf().otherView(), otherTheme: () => viewerOf().otherTheme(),
        previousMatch: () => viewerOf().nextMatch(-1), nextMatch: () => viewerOf().nextMatch(1),
        zoomIn: () => viewerOf().zoom(0.6), zoomOut: () => viewerOf().zoom(1 / 0.6),
        showAll: () => viewerOf().showAll(), help: () => viewerOf().help(),
    };
}

class Viewer extends Stage {
    constructor(root, model) {
        super(root, model, makeActions(() => this));
        this.summary = new Summary(this);
        listenToMouse(this);
        listenToKeys(this);
        this.setView("cpus");
        this.view.showAll();
        this.describe();
        showDetails(this);
        this.summary.draw();
    }

    // ---- The trace grows ----

    // Append events: columns of equal length, as in a model. `more` may have new `envs`, `places`
    // and `lost`. If the end of the trace was in view, it stays in view.
    append(events, more) {
        const atEnd = this.view.t1 >= this.view.end, all = this.view.showsAll;
        this.trace.append(events, more);
        this.intervals.update();
        const grown = this.trace.end - this.view.end;
        this.view.end = this.trace.end;
        if (all)
            this.view.showAll();
        else if (atEnd)
            this.view.pan(grown / this.view.perPixel);
        if (this.viewName === "envs" || !this.lanes.length)
            this.layOut();
        this.overviewImage = null;
        this.describe();
        this.summaryTimer = this.summaryTimer || setTimeout(() => {
            this.summaryTimer = 0;
            this.summary.draw();
            this.search();
        }, SUMMARY_MS);
        this.redraw();
    }

    describe() {
        const { trace, parts } = this, lost = trace.lost.reduce((sum, n) => sum + n, 0);
        const cpus = trace.cpus === 1 ? "1 CPU" : `${trace.cpus} CPUs`;
        const envs = [...this.intervals.envs.keys()].filter(id => id).length;
        parts.title.textContent = `${trace.program || "trace"} on ${cpus}`;
        parts.subtitle.textContent = [`${formatNumber(trace.length)} events`,
            formatSpan(trace.end, trace.ticksPerSecond), `${formatNumber(envs)} environments`,
            trace.command].filter(text => text).join(" · ");
        parts.warning.hidden = !lost;
        parts.warning.textContent = lost ? `${formatNumber(lost)} records were lost (` +
            trace.lost.map((n, c) => n ? `CPU ${c}: ${formatNumber(n)}` : "").filter(text => text)
                .join(", ") + "): times near the gaps are wrong." : "";
    }

    // ---- The view ----

    // Set the view: "cpus" or "envs".
    setView(name) {
        const { viewButton, scroller } = this.parts, { selected } = this;
        this.viewName = name;
        viewButton.textContent = name === "cpus" ? "Environments" : "CPUs";
        viewButton.title = name === "cpus" ? "Show a lane for each environment (v)"
            : "Show a lane for each CPU (v)";
        viewButton.setAttribute("aria-label", viewButton.title);
        this.selected = null;
        this.focusedLane = 0;
        this.layOut();
        scroller.scrollTop = 0;
        drawLegend(this.parts.legend, name, this.theme);
        if (selected)
            this.select(selected.event, undefined, false);
    }

    otherView() {
        this.setView(this.viewName === "cpus" ? "envs" : "cpus");
        this.say(this.viewName === "cpus" ? "A lane for each CPU" : "A lane for each environment");
    }

    // ---- The selected event ----

    // Select an event by its number, in a lane (default: the event's own lane).
    select(event, lane, reveal = true) {
        const { trace } = this;
        if (lane === undefined)
            lane = this.lanes.findIndex(other => other.kind === "cpu"
                ? other.cpu === trace.cpu.data[event]
                : other.kind === "env" && other.env === trace.env.data[event]);
        this.selected = { event, lane };
        if (lane >= 0)
            this.focusedLane = lane;
        if (reveal) {
            const x = this.view.x(trace.t.data[event]);
            if (x < 0 || x > this.view.width)
                this.view.centre(trace.t.data[event]);
            this.revealLane(lane);
        }
        showDetails(this, event);
        this.say(spokenDetails(this, event));
        this.redraw();
    }

    unselect() {
        this.selected = null;
        this.pinned = 0;
        this.measure();
        showDetails(this);
        this.redraw();
    }

    // Select the next (1) or previous (-1) event in the lane. Returns whether there is one.
    step(direction) {
        const lane = this.selected && this.lanes[this.selected.lane];
        if (!lane || !lane.events)
            return false;
        const { event } = this.selected;
        const k = lane.events.countBelow(direction > 0 ? event + 1 : event) -
            (direction > 0 ? 0 : 1);
        if (k < 0 || k >= lane.events.length)
            return false;
        this.select(lane.events.data[k], this.selected.lane);
        return true;
    }

    selectFirstInView() {
        const lane = this.lanes[this.focusedLane];
        if (!lane || !lane.events)
            return;
        const k = firstEventAt(this.trace, lane.events, this.view.t0);
        if (k < lane.events.length)
            this.select(lane.events.data[k], this.focusedLane);
    }

    // Zoom so that the interval that the selected event begins fills a third of the width.
    zoomToSelected() {
        const lane = this.selected && this.lanes[this.selected.lane];
        if (!lane)
            return;
        const t = this.trace.t.data[this.selected.event], i = lane.track.seek(0, t);
        const length = Math.max(lane.track.endOf(i) - t, 1);
        this.show(t - length, t + 2 * length);
    }

    // Select the event where the selected event's arrow arrives.
    followArrow() {
        const { arrows } = this.intervals;
        const arrow = this.selected ? arrows.byEvent.get(this.selected.event) : undefined;
        if (arrow === undefined || Number.isNaN(arrows.to.data[arrow])) {
            this.say("There is no arrow to follow");
            return;
        }
        const { events } = this.intervals.cpus[arrows.toCpu.data[arrow]];
        const k = firstEventAt(this.trace, events, arrows.to.data[arrow]);
        this.select(events.data[k]);
    }

    // ---- Search ----

    search() {
        const { search, count } = this.parts;
        this.matches = findEvents(this.trace, search.value);
        count.textContent = search.value.trim() ? formatNumber(this.matches.length) : "";
        this.redraw();
    }

    // Select the next (1) or the previous (-1) event that the search has found.
    nextMatch(direction) {
        const { matches, trace } = this, { count } = this.parts;
        if (!matches.length) {
            this.say("No event matches");
            return;
        }
        const from = this.selected ? this.selected.event
            : trace.firstAt(Math.max(0, this.view.t0)) - (direction > 0 ? 1 : 0);
        let k = direction > 0 ? matches.findIndex(event => event > from)
            : matches.findLastIndex(event => event < from);
        if (k < 0) // Begin again at the other end.
            k = direction > 0 ? 0 : matches.length - 1;
        this.select(matches[k]);
        count.textContent = `${formatNumber(k + 1)} of ${formatNumber(matches.length)}`;
    }

    // ---- The mouse rests, a range is measured, the rest ----

    // The mouse is at a point, or nowhere (null).
    hover(at) {
        clearTimeout(this.hoverTimer);
        const found = at && hit(this, at.x, at.y);
        this.showTip(at, found);
        this.hoverTimer = setTimeout(() => {
            const env = found ? found.env : 0;
            if (env !== this.hovered) {
                this.hovered = env;
                this.redraw();
            }
        }, HOVER_MS);
    }

    showTip(at, found) {
        const { tip, canvas, root } = this.parts;
        tip.hidden = !found;
        if (!found)
            return;
        tip.textContent = hitWords(this, found).join("\n");
        const box = canvas.getBoundingClientRect(), around = root.getBoundingClientRect();
        const x = at.x + this.labelWidth + box.left - around.left + 14;
        const y = at.y + box.top - around.top + 18;
        tip.style.left = `${Math.max(4, Math.min(x, around.width - tip.offsetWidth - 8))}px`;
        tip.style.top = `${y}px`;
    }

    // Highlight an environment until this is called again; default: the selected event's.
    togglePin(id) {
        const env = id || (this.selected ? this.trace.env.data[this.selected.event] : 0);
        this.pinned = this.pinned === env ? 0 : env;
        this.redraw();
    }

    // Mark a range of time and say how long it is; without arguments, none.
    measure(t0, t1) {
        this.range = t0 === undefined ? null : [t0, t1];
        if (this.range)
            this.say(formatSpan(Math.abs(t1 - t0), this.trace.ticksPerSecond), true);
        this.redraw();
    }

    help() {
        this.parts.help.showModal();
    }

    destroy() {
        super.destroy();
        clearTimeout(this.hoverTimer);
        clearTimeout(this.summaryTimer);
    }
}

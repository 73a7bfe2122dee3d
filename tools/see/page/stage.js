// The stage of a viewer: its lanes on the canvas, with their size, theme, view and position. The
// class Viewer (viewer.js) adds the events: selection, search, and a trace that grows.

import { Frame, drawScene } from "./draw.js";
import { Intervals } from "./intervals.js";
import { Trace } from "./trace.js";
import { View } from "./view.js";
import { OVERVIEW_HEIGHT, drawOverview, drawWindow } from "./overview.js";
import { RULER_HEIGHT } from "./ruler.js";
import { drawLegend } from "./legend.js";
import { formatNumber } from "./format.js";
import { labelWidth, laneAt, makeLanes, totalHeight } from "./layout.js";
import { makeParts } from "./parts.js";
import { themeColours } from "./colours.js";

const LEAST_HEIGHT = 430; // Of the lanes, in pixels
const MOST_HEIGHT = 0.62; // Of the window

export class Stage {
    // `actions` has a function for each button: see parts.js.
    constructor(root, model, actions) {
        this.root = root;
        this.trace = new Trace(model);
        this.intervals = new Intervals(this.trace);
        this.view = new View();
        this.view.end = this.trace.end;
        this.viewName = "cpus";
        this.matches = new Int32Array(0); // The events that the search has found
        this.selected = null; // { event, lane }
        this.focusedLane = 0;
        this.hovered = this.pinned = 0; // Environments that are highlighted
        this.range = null; // A measured time
        this.framesDrawn = 0;
        this.parts = makeParts(root, actions);
        this.watchTheme();
        this.watchSize();
        this.parts.scroller.addEventListener("scroll", () => this.redraw());
    }

    // ---- Size and theme ----

    watchSize() {
        this.sizes = new ResizeObserver(() => this.resize());
        this.sizes.observe(this.parts.scroller);
        this.resize();
    }

    resize() {
        const { canvas, scroller, overview } = this.parts;
        const width = scroller.clientWidth, height = scroller.clientHeight;
        const scale = window.devicePixelRatio || 1;
        if (width === this.width && height === this.height && scale === this.scale)
            return;
        Object.assign(this, { width, height, scale });
        canvas.width = Math.max(1, Math.round(width * scale));
        canvas.height = Math.max(1, Math.round(height * scale));
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
        overview.width = Math.max(1, Math.round(overview.clientWidth * scale));
        overview.height = Math.round(OVERVIEW_HEIGHT * scale);
        this.newFrame();
        if (this.lanes)
            this.layOut();
    }

    newFrame() {
        const context = this.parts.canvas.getContext("2d", { alpha: false });
        context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
        this.frame = new Frame(context, this.trace, this.view, this.theme, this.scale);
        this.overviewImage = null;
        this.redraw();
    }

    watchTheme() {
        this.darkQuery = window.matchMedia("(prefers-color-scheme: dark)");
        this.onThemeChange = () => this.setTheme(this.darkQuery.matches ? "dark" : "light");
        this.darkQuery.addEventListener("change", this.onThemeChange);
        this.themeName = this.darkQuery.matches ? "dark" : "light";
        this.theme = themeColours(this.themeName);
        this.root.dataset.theme = this.themeName;
    }

    // Set the theme: "light" or "dark".
    setTheme(name) {
        this.themeName = name;
        this.theme = themeColours(name);
        this.root.dataset.theme = name;
        this.newFrame();
        drawLegend(this.parts.legend, this.viewName, this.theme);
    }

    otherTheme() {
        this.setTheme(this.themeName === "dark" ? "light" : "dark");
    }

    // Compute the lanes, and the sizes that depend on them.
    layOut() {
        const { scroller, spacer } = this.parts;
        this.lanes = makeLanes(this.viewName, this.trace, this.intervals, this.width);
        const height = totalHeight(this.lanes) + RULER_HEIGHT;
        spacer.style.height = `${height}px`;
        const most = Math.max(LEAST_HEIGHT, window.innerHeight * MOST_HEIGHT);
        scroller.style.height = `${Math.min(Math.max(height, LEAST_HEIGHT), most)}px`;
        this.labelWidth = labelWidth(this.viewName, this.width);
        this.view.resize(this.width - this.labelWidth);
        this.focusedLane = Math.max(0, Math.min(this.focusedLane, this.lanes.length - 1));
        this.redraw();
    }

    // ---- Drawing ----

    redraw() {
        if (!this.waiting && !this.destroyed)
            this.waiting = requestAnimationFrame(() => this.draw());
    }

    // Draw now. Usually, redraw() draws with the browser's next frame.
    draw() {
        this.waiting = 0;
        if (!this.lanes || this.destroyed)
            return;
        const { parts } = this;
        const leftOut = drawScene({ ...this, scrollTop: this.scrollTop,
            highlighted: this.hovered || this.pinned });
        const hint = leftOut ? `${formatNumber(leftOut)} arrows: zoom in to see them` : "";
        if (parts.hint.textContent !== hint) // Else the browser would lay out the page again.
            parts.hint.textContent = hint;
        this.drawOverview();
        this.framesDrawn++;
    }

    drawOverview() {
        const { overview } = this.parts, context = overview.getContext("2d");
        const width = overview.width / this.scale;
        if (!this.overviewImage) {
            this.overviewImage = document.createElement("canvas");
            this.overviewImage.width = overview.width;
            this.overviewImage.height = overview.height;
            const image = this.overviewImage.getContext("2d");
            image.scale(this.scale, this.scale);
            drawOverview(image, this.theme, this.trace, this.intervals, width, OVERVIEW_HEIGHT);
        }
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.drawImage(this.overviewImage, 0, 0);
        context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
        drawWindow(context, this.theme, this.view, width, OVERVIEW_HEIGHT);
    }

    get scrollTop() {
        return this.parts.scroller.scrollTop;
    }

    // ---- Moving ----

    // The point of a mouse event; x is negative on the labels.
    point(event) {
        const box = this.parts.canvas.getBoundingClientRect();
        return { x: event.clientX - box.left - this.labelWidth, y: event.clientY - box.top };
    }

    // A factor below 1 zooms in. x stays where it is; default: the selected event, or the middle.
    zoom(factor, x) {
        if (x === undefined) {
            const at = this.selected ? this.view.x(this.trace.t.data[this.selected.event]) : -1;
            x = at >= 0 && at < this.view.width ? at : this.view.width / 2;
        }
        this.view.zoom(factor, Math.max(0, x));
        this.redraw();
    }

    pan(pixels) {
        this.view.pan(pixels);
        this.redraw();
    }

    goTo(t) {
        this.view.centre(t);
        this.redraw();
    }

    // Show the time from t0 to t1, in ticks.
    show(t0, t1) {
        this.view.show(t0, t1);
        this.redraw();
    }

    showAll() {
        this.view.showAll();
        this.redraw();
    }

    scroll(pages) {
        this.parts.scroller.scrollTop += pages * (this.height - RULER_HEIGHT) * 0.8;
    }

    focusLane(number) {
        this.focusedLane = Math.max(0, Math.min(number, this.lanes.length - 1));
        this.revealLane(this.focusedLane);
        const lane = this.lanes[this.focusedLane];
        if (lane)
            this.say(lane.title + (lane.events ? `, ${formatNumber(lane.events.length)} events`
                : ""));
        this.redraw();
    }

    focusLaneAt(y) {
        const lane = laneAt(this.lanes, y - RULER_HEIGHT + this.scrollTop);
        if (lane >= 0)
            this.focusLane(lane);
    }

    revealLane(number) {
        const lane = this.lanes[number], { scroller } = this.parts;
        if (!lane)
            return;
        if (lane.y < scroller.scrollTop)
            scroller.scrollTop = lane.y;
        else if (lane.y + lane.height > scroller.scrollTop + this.height - RULER_HEIGHT)
            scroller.scrollTop = lane.y + lane.height - this.height + RULER_HEIGHT;
    }

    // Let a screen reader say something; `visibly`: show it, too.
    say(words, visibly) {
        this.parts.live.textContent = words;
        this.parts.live.classList.toggle("see-shown", Boolean(visibly));
    }

    // Remove the viewer from the page.
    destroy() {
        this.destroyed = true;
        cancelAnimationFrame(this.waiting);
        this.sizes.disconnect();
        this.darkQuery.removeEventListener("change", this.onThemeChange);
        this.root.replaceChildren();
        this.root.classList.remove("see");
    }
}

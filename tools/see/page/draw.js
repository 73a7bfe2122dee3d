// Draws one frame of the lanes on the canvas.

import { Paint, Patterns } from "./colours.js";
import { drawArrows, drawMarks } from "./marks.js";
import { drawBigLock, drawCpuBars, drawEnvBars, drawHighlight } from "./bars.js";
import { drawMatches, drawRuler, RULER_HEIGHT } from "./ruler.js";
import { Pixels } from "./pixels.js";
import { laneAt } from "./layout.js";

const FONT = "system-ui, sans-serif";
const CHARACTER = 6.4; // The width of a character of a label, in pixels, about
const NARROW = 4; // Pixels
const BAR_DRAWERS = { cpu: drawCpuBars, lock: drawBigLock, env: drawEnvBars };

// What the drawing of one frame needs, and how much it has drawn.
export class Frame {
    constructor(context, trace, view, theme, scale) {
        this.context = context;
        this.trace = trace;
        this.view = view;
        this.paint = new Paint(theme);
        this.patterns = new Patterns(context, theme, scale);
        this.font = `11px ${FONT}`;
        this.smallFont = `11px ${FONT}`;
        this.pixels = new Pixels();
        this.reset();
    }

    reset() {
        this.counts = { rectangles: 0, texts: 0, marks: 0, arrows: 0, lanes: 0 };
        this.colour = null;
    }

    rectangle(colour, x, y, width, height) {
        if (colour !== this.colour)
            this.context.fillStyle = this.colour = colour;
        this.context.fillRect(x, y, width, height);
        this.counts.rectangles++;
    }

    // A part of a bar, from the pixel x on. Narrow parts are many: they become columns.
    bar(colour, x, y, width, height) {
        if (width > NARROW || typeof colour !== "string") {
            this.rectangle(colour, x, y, width, height);
            return;
        }
        for (let i = 0; i < width; i++)
            this.pixels.column(colour, x + i, y, height);
        this.counts.rectangles++;
    }

    // A rectangle of one pixel's width. It is drawn by pixels.draw(), over the rectangles.
    column(colour, x, y, height) {
        this.pixels.column(colour, x, y, height);
        this.counts.rectangles++;
    }

    // A label in an interval from x on, with its middle at y: the first of `texts` that fits into
    // `width`. If none fits, the last one is cut, unless too little remains.
    text(colour, texts, x, width, y) {
        const left = Math.max(x, 0), right = Math.min(x + width, this.view.width);
        const fits = Math.floor((right - left - 8) / CHARACTER);
        if (fits < 4)
            return;
        let text = texts.find(one => one.length <= fits) || texts[texts.length - 1];
        if (text.length > fits)
            text = text.slice(0, fits - 1) + "…";
        if (!text)
            return;
        const { context } = this;
        this.colour = context.fillStyle = colour;
        context.font = this.font;
        context.textAlign = "left";
        context.textBaseline = "middle";
        context.fillText(text, left + 4, y + 0.5);
        this.counts.texts++;
    }
}

// Draw the lanes of `scene`: { frame, lanes, labelWidth, scrollTop, width, height, intervals,
// matches, highlighted, selected, focusedLane, range }. Returns the number of arrows left out.
export function drawScene(scene) {
    const { frame, scrollTop, height, labelWidth } = scene, { context, paint } = frame;
    frame.reset();
    paint.highlighted = scene.highlighted;
    context.fillStyle = paint.theme.page;
    context.fillRect(0, 0, scene.width, height);

    context.save();
    context.beginPath();
    context.rect(labelWidth, 0, frame.view.width, height);
    context.clip();
    context.translate(labelWidth, 0);
    drawRuler(frame, height);
    drawMatches(frame, scene.matches);
    context.beginPath();
    context.rect(0, RULER_HEIGHT, frame.view.width, height - RULER_HEIGHT);
    context.clip();
    const top = RULER_HEIGHT - scrollTop;
    drawVisibleLanes(scene, top);
    const left = drawLinks(scene, top);
    drawSelection(scene, top);
    context.restore();

    drawLabels(scene, top);
    return left;
}

function visibleLanes(scene) {
    const { lanes, scrollTop, height } = scene;
    const first = Math.max(0, laneAt(lanes, scrollTop));
    const last = laneAt(lanes, scrollTop + height - RULER_HEIGHT);
    return lanes.slice(first, last < 0 ? lanes.length : last + 1);
}

function drawVisibleLanes(scene, top) {
    const { frame, highlighted, intervals } = scene, bottoms = {};
    frame.pixels.clear(Math.ceil(frame.view.width), Math.ceil(scene.height));
    for (const lane of visibleLanes(scene)) {
        BAR_DRAWERS[lane.kind](frame, lane, top + lane.y);
        frame.colour = null;
        if (lane.kind === "cpu")
            bottoms[lane.cpu] = top + lane.y + lane.bar + lane.barHeight;
        frame.counts.lanes++;
    }
    frame.pixels.draw(frame.context);
    if (highlighted && intervals.envs.has(highlighted))
        drawHighlight(frame, intervals.envs.get(highlighted), bottoms);
    for (const lane of visibleLanes(scene))
        drawMarks(frame, lane, top + lane.y);
    frame.colour = null;
}

function drawLinks(scene, top) {
    const { frame, lanes, intervals, selected } = scene;
    const byCpu = new Map(), byEnv = new Map();
    for (const lane of lanes)
        (lane.kind === "env" ? byEnv : byCpu).set(lane.kind === "env" ? lane.env : lane.cpu, lane);
    const laneOf = (cpu, env) => {
        const lane = byEnv.size ? byEnv.get(env) : byCpu.get(cpu);
        return lane && top + lane.y + lane.bar + lane.barHeight / 2;
    };
    const arrow = selected ? intervals.arrows.byEvent.get(selected.event) : undefined;
    return drawArrows(frame, intervals.arrows, laneOf, scene.highlighted, arrow);
}

// The selected event, with its interval, and a measured range.
function drawSelection(scene, top) {
    const { frame, selected, lanes, range } = scene, { context, view, paint, trace } = frame;
    if (range) {
        const x0 = view.x(Math.min(...range)), x1 = view.x(Math.max(...range));
        context.globalAlpha = 0.15;
        frame.rectangle(paint.theme.accent, x0, 0, x1 - x0, scene.height);
        context.globalAlpha = 1;
    }
    const lane = selected && lanes[selected.lane];
    if (!lane)
        return;
    const x = view.x(trace.t.data[selected.event]), y = top + lane.y;
    frame.rectangle(paint.theme.accent, x - 0.75, y, 1.5, lane.height);
    context.fillStyle = paint.theme.accent;
    context.beginPath();
    context.moveTo(x - 5, y);
    context.lineTo(x + 5, y);
    context.lineTo(x, y + 7);
    context.fill();
    const i = lane.track.seek(0, trace.t.data[selected.event]);
    if (lane.track.event.data[i] !== selected.event)
        return;
    const x0 = Math.max(-4, view.x(lane.track.start.data[i]));
    const x1 = Math.min(view.width + 4, view.x(lane.track.endOf(i)));
    context.strokeStyle = paint.theme.accent;
    context.lineWidth = 2;
    context.strokeRect(x0, y + lane.bar - 1, Math.max(2, x1 - x0), lane.barHeight + 2);
}

function drawLabels(scene, top) {
    const { frame, labelWidth, focusedLane, lanes, height } = scene, { context, paint } = frame;
    context.save();
    context.beginPath();
    context.rect(0, RULER_HEIGHT, labelWidth, height);
    context.clip();
    for (const lane of visibleLanes(scene)) {
        const y = top + lane.y, focused = lanes[focusedLane] === lane;
        const middle = y + lane.bar + lane.barHeight / 2;
        if (focused) {
            context.fillStyle = paint.theme.laneFocus;
            context.fillRect(0, y, labelWidth - 2, lane.height);
            context.fillStyle = paint.theme.accent;
            context.fillRect(0, y, 3, lane.height);
        }
        if (lane.kind === "env") {
            context.fillStyle = paint.env(lane.env);
            context.fillRect(8, middle - 5, 10, 10);
        }
        drawLabel(frame, lane, middle, labelWidth);
    }
    context.restore();
    frame.colour = null;
}

function drawLabel(frame, lane, middle, labelWidth) {
    const { context, paint } = frame, x = lane.kind === "env" ? 22 : 10;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.font = `${lane.kind === "cpu" ? "600 " : ""}12px ${FONT}`;
    context.fillStyle = paint.theme.ink;
    context.fillText(lane.label, x, middle + 0.5);
    if (lane.note) {
        const from = x + context.measureText(lane.label).width + 6;
        context.fillStyle = paint.theme.soft;
        context.font = `11px ${FONT}`;
        context.fillText(lane.note, from, middle + 0.5, labelWidth - from - 4);
    }
}

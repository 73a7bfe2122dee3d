// The legend: what the colours, patterns, marks and arrows mean. Its samples are drawn with the
// colours of the theme.

import { element } from "./dom.js";
import { PALETTE, Patterns } from "./colours.js";
import { drawShape } from "./marks.js";
import { BLOCK, DESTROY, FAULT, FORK, INTERRUPT, IPI, MESSAGE } from "./trace.js";

const WIDTH = 30, HEIGHT = 14;

function fill(context, colour, y = 0, height = HEIGHT) {
    context.fillStyle = colour;
    context.fillRect(0, y, WIDTH, height);
}

function line(context, colour, dash) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(0, HEIGHT / 2);
    context.lineTo(WIDTH - 6, HEIGHT / 2);
    context.stroke();
    context.beginPath();
    context.moveTo(WIDTH, HEIGHT / 2);
    context.lineTo(WIDTH - 8, HEIGHT / 2 - 4);
    context.lineTo(WIDTH - 8, HEIGHT / 2 + 4);
    context.fill();
}

function mark(code) {
    return (context, theme) => {
        context.fillStyle = theme.ink;
        drawShape(context, code, WIDTH / 2, HEIGHT / 2);
    };
}

function environments(context) {
    PALETTE.forEach((colour, i) => {
        context.fillStyle = colour;
        context.fillRect(i * WIDTH / PALETTE.length, 0, WIDTH / PALETTE.length + 1, HEIGHT);
    });
}

const COMMON = [
    [environments, "an environment in user mode, each in its colour"],
    [(c, theme) => {
        fill(c, theme.kernel);
        fill(c, PALETTE[0], HEIGHT - 4, 4);
    }, "in the kernel, for the environment whose colour is below"],
];
const OF_CPUS = [
    [(c, theme, patterns) => fill(c, patterns.idle), "idle: polls for work"],
    [(c, theme, patterns) => fill(c, patterns.halted), "idle: halted"],
    [(c, theme) => fill(c, theme.held, 4, 8), "holds the big lock"],
    [(c, theme, patterns) => fill(c, patterns.wait, 4, 8), "waits for the big lock"],
    [(c, theme, patterns) => fill(c, patterns.asleep, 4, 8), "waits for the big lock, halted"],
];
const OF_ENVS = [
    [(c, theme) => fill(c, theme.ready, 3, 8), "ready: waits for a CPU"],
    [(c, theme, patterns) => fill(c, patterns.blocked, 2, 10), "waits in a call, or to be started"],
];
const ARROWS = [
    [(c, theme) => line(c, theme.ink, []), "message, to where the receiver gets it"],
    [(c, theme) => line(c, theme.ink, [6, 3]), "fork, to where the child runs"],
    [(c, theme) => line(c, theme.ink, [1.5, 2.5]), "interrupt sent to a CPU"],
];
const MARKS = [
    [mark(MESSAGE), "message"], [mark(FORK), "fork"], [mark(BLOCK), "begins to wait"],
    [mark(FAULT), "page fault"], [mark(DESTROY), "environment ends"], [mark(IPI), "IPI sent"],
    [mark(INTERRUPT), "interrupt arrives"],
];

function item(draw, words, theme) {
    const scale = window.devicePixelRatio || 1;
    const canvas = element("canvas", { width: WIDTH * scale, height: HEIGHT * scale,
        "aria-hidden": "true" });
    canvas.style.width = `${WIDTH}px`;
    canvas.style.height = `${HEIGHT}px`;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    draw(context, theme, new Patterns(context, theme, scale));
    return element("li", {}, canvas, words);
}

// Fill the element `into` with the legend of a view.
export function drawLegend(into, view, theme) {
    const items = [...COMMON, ...(view === "cpus" ? OF_CPUS : OF_ENVS),
        ...(view === "cpus" ? ARROWS : ARROWS.slice(0, 2)), ...MARKS];
    into.replaceChildren(
        element("ul", {}, ...items.map(([draw, words]) => item(draw, words, theme))),
        element("p", {}, "Where a pixel has room for several intervals, the heights are their " +
            "shares of the time, and the colour is that of the environment that ran longest. " +
            "Marks and arrows appear when there is room: zoom in."));
}

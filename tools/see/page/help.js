// The list of keys, and how to use the mouse.

import { element } from "./dom.js";

const KEY_WORDS = [
    ["W S, ↑ ↓", "zoom in, zoom out"],
    ["A D, ← →", "move in time; with Shift: a whole screen"],
    ["Home, End", "the start, the end of the trace"],
    ["0", "show the whole trace"],
    ["J K", "next lane, previous lane"],
    ["Page Down, Page Up", "scroll the lanes"],
    ["Enter", "select the first event in view in the lane; then: zoom to its interval"],
    ["Tab, Shift-Tab", "next, previous event in the lane, once an event is selected"],
    ["Esc", "unselect; then Tab leaves the timeline"],
    ["L", "follow the arrow of the selected event"],
    ["H", "highlight the environment of the selected event, or stop that"],
    ["V", "other view: lanes of CPUs, or of environments"],
    ["/", "search; Enter: next match"],
    ["N P", "next match, previous match"],
    ["T", "light or dark"],
    ["?", "this list"],
];
const MOUSE_WORDS = [
    ["wheel", "zoom at the mouse; with Shift: move in time; on the labels: scroll the lanes"],
    ["drag", "move; with Shift: measure a time"],
    ["click, double click", "select an event; zoom to it"],
    ["two fingers", "zoom"],
];

function table(rows) {
    return element("table", {}, ...rows.map(([key, words]) =>
        element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, words))));
}

export function makeHelp() {
    return element("dialog", { class: "see-help", "aria-label": "Keys and mouse" },
        element("h2", {}, "Keys"), table(KEY_WORDS), element("h2", {}, "Mouse"), table(MOUSE_WORDS),
        element("form", { method: "dialog" }, element("button", {}, "Close")));
}

// The summary: a table with a row per CPU, and one with a row per environment. A click on a heading
// sorts the rows.

import { element } from "./dom.js";
import { envColour } from "./colours.js";
import { formatNumber, formatShare, formatSpan, hex8 } from "./format.js";
import { ASLEEP, HALTED, HELD, IDLE, KERNEL, USER, WAITING } from "./intervals.js";

// The time in class c of a whole track.
function total(track, c) {
    const last = track.length - 1;
    return last < 0 ? 0 : track.timeBefore(c, last, track.end);
}

// A column: [heading, what it means, value of a row, "time" or "number" or "text"]
const CPU_COLUMNS = [
    ["CPU", "", row => row.number, "number"],
    ["user", "time in user mode", row => total(row.track, USER), "time"],
    ["kernel", "time in the kernel", row => total(row.track, KERNEL), "time"],
    ["idle", "time without an environment to run",
        row => total(row.track, IDLE) + total(row.track, HALTED), "time"],
    ["lock held", "time with the big lock", row => total(row.lock, HELD), "time"],
    ["lock waited", "time that it waited for the big lock",
        row => total(row.lock, WAITING) + total(row.lock, ASLEEP), "time"],
    ["switches", "environments put on this CPU", row => row.switches, "number"],
    ["calls", "system calls", row => row.calls, "number"],
    ["messages", "messages delivered on this CPU", row => row.messages, "number"],
    ["faults", "page faults", row => row.faults, "number"],
    ["interrupts", "interrupts that arrived", row => row.interrupts, "number"],
    ["IPIs", "interrupts sent to CPUs", row => row.ipis, "number"],
];

function envColumns(trace) {
    const perCpu = Array.from({ length: trace.cpus }, (_, c) =>
        [`CPU ${c}`, `time on CPU ${c}`, row => row.onCpu[c], "time"]);
    return [
        ["environment", "", row => row.id, "env"],
        ["program", "", row => trace.programOf(row.id), "text"],
        ["user", "time in user mode", row => row.user, "time"],
        ["kernel", "time in the kernel", row => row.kernel, "time"],
        ["lock held", "time with the big lock", row => row.held, "time"],
        ["lock waited", "time that it waited for the big lock", row => row.waited, "time"],
        ["switches", "how often it was put on a CPU", row => row.switches, "number"],
        ["calls", "system calls", row => row.calls, "number"],
        ["sent", "messages sent", row => row.sent, "number"],
        ["received", "messages received", row => row.received, "number"],
        ["faults", "page faults", row => row.faults, "number"],
        ...perCpu,
    ];
}

function cellText(value, kind, trace) {
    switch (kind) {
    case "time": return formatSpan(value, trace.ticksPerSecond);
    case "number": return formatNumber(value);
    default: return String(value);
    }
}

function envCell(id, viewer) {
    const swatch = element("span", { class: "see-swatch" });
    swatch.style.background = envColour(id);
    return element("button", { type: "button", class: "see-link", title: "Highlight it",
        onclick: () => viewer.togglePin(id) }, swatch, hex8(id));
}

function makeCell([, , valueOf, kind], row, viewer) {
    const value = valueOf(row), { trace } = viewer;
    const cell = element("td", { class: kind === "text" || kind === "env" ? "" : "see-number" });
    cell.append(kind === "env" ? envCell(value, viewer) : cellText(value, kind, trace));
    if (kind === "time") {
        cell.title = `${formatNumber(value)} ticks, ${formatShare(value, trace.end)} of the trace`;
        const share = trace.end ? Math.min(1, value / trace.end) : 0;
        cell.style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
    }
    return cell;
}

// A table with a caption. `order`: { column, down }, which the table keeps.
function makeTable(caption, columns, rows, order, viewer) {
    const body = element("tbody", {});
    const fill = () => {
        const valueOf = columns[order.column][2], sign = order.down ? -1 : 1;
        const compare = (a, b) => {
            const x = valueOf(a), y = valueOf(b);
            return sign * (x < y ? -1 : x > y ? 1 : 0);
        };
        body.replaceChildren(...[...rows].sort(compare).map(row =>
            element("tr", {}, ...columns.map(column => makeCell(column, row, viewer)))));
    };
    const headings = columns.map(([name, words], k) => {
        const sort = () => {
            order.down = order.column === k ? !order.down : columns[k][3] !== "env";
            order.column = k;
            headings.forEach((h, other) => h.setAttribute("aria-sort",
                other !== k ? "none" : order.down ? "descending" : "ascending"));
            fill();
        };
        return element("th", { scope: "col", title: words || false },
            element("button", { type: "button", onclick: sort }, name));
    });
    fill();
    return element("div", { class: "see-wide", tabindex: "0", role: "region",
        "aria-label": caption },
        element("table", {}, element("caption", {}, caption),
            element("thead", {}, element("tr", {}, ...headings)), body));
}

export class Summary {
    constructor(viewer) {
        this.viewer = viewer;
        this.orders = [{ column: 0, down: false }, { column: 0, down: false }];
    }

    draw() {
        const { viewer } = this, { trace, intervals } = viewer;
        const envs = [...intervals.envs.values()].filter(env => env.id);
        viewer.parts.summary.replaceChildren(
            element("h2", {}, "Summary"),
            makeTable("CPUs", CPU_COLUMNS, intervals.cpus, this.orders[0], viewer),
            makeTable("Environments", envColumns(trace), envs, this.orders[1], viewer));
    }
}

// The elements of a viewer.

import { element, button } from "./dom.js";
import { makeHelp } from "./help.js";
import { OVERVIEW_HEIGHT } from "./overview.js";

function makeTools(actions) {
    const search = element("input", {
        type: "search", class: "see-search", placeholder: "Search: ipc_recv, fault, cpu2",
        "aria-label": "Search events", spellcheck: "false", autocomplete: "off",
    });
    const count = element("output", { class: "see-count", "aria-live": "polite" });
    const viewButton = button("Environments", "Show a lane for each environment (v)",
        actions.otherView);
    const tools = element("div", { class: "see-tools", role: "toolbar", "aria-label": "Tools" },
        element("span", { class: "see-find" }, search, count,
            button("‹", "Previous match (p)", actions.previousMatch),
            button("›", "Next match (n)", actions.nextMatch)),
        viewButton,
        element("span", { class: "see-group" },
            button("−", "Zoom out (s)", actions.zoomOut),
            button("+", "Zoom in (w)", actions.zoomIn),
            button("All", "Show the whole trace (0)", actions.showAll)),
        button("◐", "Light or dark (t)", actions.otherTheme),
        button("?", "Keys (?)", actions.help));
    return { tools, search, count, viewButton };
}

function makeStage(actions) {
    const canvas = element("canvas", {
        class: "see-canvas", tabindex: "0", role: "application",
        "aria-label": "Timeline. Press ? for the keys.",
    });
    const spacer = element("div", { class: "see-spacer" }, canvas);
    const scroller = element("div", { class: "see-scroller" }, spacer);
    const overview = element("canvas", {
        class: "see-overview", height: OVERVIEW_HEIGHT, role: "img",
        "aria-label": "The whole trace: click to go there",
    });
    const hint = element("div", { class: "see-hint", "aria-hidden": "true" });
    return { canvas, spacer, scroller, overview, hint };
}

// Fill the element `root`. `actions` has a function for each button. Returns the elements by name.
export function makeParts(root, actions) {
    const title = element("h1", { class: "see-title" });
    const subtitle = element("p", { class: "see-subtitle" });
    const warning = element("p", { class: "see-warning", role: "alert", hidden: true });
    const tools = makeTools(actions), stage = makeStage(actions), help = makeHelp();
    const side = element("aside", { class: "see-side", "aria-label": "Selected event" });
    const legend = element("section", { class: "see-legend", "aria-label": "Legend" });
    const summary = element("section", { class: "see-summary", "aria-label": "Summary" });
    const live = element("div", { class: "see-live", "aria-live": "polite" });
    const tip = element("div", { class: "see-tip", "aria-hidden": "true", hidden: true });
    root.classList.add("see");
    root.replaceChildren(
        element("header", { class: "see-bar" }, element("div", {}, title, subtitle), tools.tools),
        warning, stage.overview,
        element("div", { class: "see-body" },
            element("div", { class: "see-stage" }, stage.scroller, stage.hint), side),
        legend, summary, live, tip, help);
    return { root, title, subtitle, warning, side, legend, summary, live, tip, help, ...tools,
        ...stage };
}

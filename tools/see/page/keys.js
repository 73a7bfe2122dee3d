// The keyboard.

const STEP = 0.15; // Of the width, for a key that moves in time
const ZOOM = 0.8;

const KEYS = {
    w: viewer => viewer.zoom(ZOOM), ArrowUp: viewer => viewer.zoom(ZOOM),
    s: viewer => viewer.zoom(1 / ZOOM), ArrowDown: viewer => viewer.zoom(1 / ZOOM),
    "+": viewer => viewer.zoom(ZOOM), "-": viewer => viewer.zoom(1 / ZOOM),
    a: (viewer, far) => viewer.pan(-viewer.view.width * (far ? 1 : STEP)),
    d: (viewer, far) => viewer.pan(viewer.view.width * (far ? 1 : STEP)),
    ArrowLeft: (viewer, far) => KEYS.a(viewer, far),
    ArrowRight: (viewer, far) => KEYS.d(viewer, far),
    Home: viewer => viewer.goTo(0), End: viewer => viewer.goTo(viewer.trace.end),
    0: viewer => viewer.showAll(),
    j: viewer => viewer.focusLane(viewer.focusedLane + 1),
    k: viewer => viewer.focusLane(viewer.focusedLane - 1),
    PageDown: viewer => viewer.scroll(1), PageUp: viewer => viewer.scroll(-1),
    l: viewer => viewer.followArrow(), h: viewer => viewer.togglePin(),
    v: viewer => viewer.otherView(), t: viewer => viewer.otherTheme(),
    "/": viewer => viewer.parts.search.select(),
    n: viewer => viewer.nextMatch(1), p: viewer => viewer.nextMatch(-1),
    "?": viewer => viewer.help(),
};
// Only when the timeline has the focus: elsewhere, these keys have their usual effects.
const ON_CANVAS = {
    Enter: viewer => viewer.selected ? viewer.zoomToSelected() : viewer.selectFirstInView(),
};

function onCanvasKey(viewer, event) {
    if (event.key === "Tab" && viewer.selected)
        return viewer.step(event.shiftKey ? -1 : 1);
    if (event.key === "Escape" && (viewer.selected || viewer.pinned)) {
        viewer.unselect();
        return true;
    }
    const handle = ON_CANVAS[event.key];
    if (handle)
        handle(viewer);
    return Boolean(handle);
}

function onSearchKey(viewer, event) {
    if (event.key === "Enter") {
        viewer.search();
        viewer.nextMatch(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
        viewer.parts.canvas.focus();
    } else {
        return;
    }
    event.preventDefault();
}

const MOVES_BETWEEN = ["Home", "End", "PageUp", "PageDown", "ArrowUp", "ArrowDown", "ArrowLeft",
    "ArrowRight"];

function onKey(viewer, event) {
    const { search, canvas, help } = viewer.parts;
    if (help.open || event.ctrlKey || event.metaKey || event.altKey)
        return;
    if (event.target === search) {
        onSearchKey(viewer, event);
        return;
    }
    const onCanvas = event.target === canvas;
    let done = onCanvas && onCanvasKey(viewer, event);
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const handle = KEYS[key];
    if (!done && handle && (onCanvas || !MOVES_BETWEEN.includes(key))) {
        handle(viewer, event.shiftKey);
        done = true;
    }
    if (done)
        event.preventDefault();
}

export function listenToKeys(viewer) {
    viewer.root.addEventListener("keydown", event => onKey(viewer, event));
    let timer = 0;
    viewer.parts.search.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => viewer.search(), 120);
    });
}

// Mouse and touch: wheel, drag, click, two fingers.

import { hit } from "./hit.js";

const CLICK = 4; // A drag of fewer pixels is a click
const WHEEL = 0.0016; // Zoom per unit of the wheel
const LINE = 16; // Pixels of a line, for wheels that count lines

function onWheel(viewer, event) {
    const unit = event.deltaMode === 1 ? LINE : 1;
    const dx = event.deltaX * unit, dy = event.deltaY * unit;
    const { x } = viewer.point(event);
    if (x < 0 && !event.ctrlKey)
        return; // On the labels: the browser scrolls.
    event.preventDefault();
    if (event.shiftKey)
        viewer.pan(dx || dy);
    else if (Math.abs(dx) > Math.abs(dy))
        viewer.pan(dx);
    else
        viewer.zoom(Math.exp(dy * WHEEL * (event.ctrlKey ? 4 : 1)), x);
}

class Pointers {
    constructor(viewer) {
        this.viewer = viewer;
        this.down = new Map(); // Pointer id -> { x, y, startX, startY }
        this.moved = false;
    }

    press(event) {
        if (event.button !== 0)
            return;
        const { viewer } = this, { x, y } = viewer.point(event);
        viewer.parts.canvas.setPointerCapture(event.pointerId);
        this.down.set(event.pointerId, { x, y, startX: x, startY: y });
        this.moved = this.down.size > 1;
        this.measures = event.shiftKey;
        viewer.hover(null);
    }

    move(event) {
        const { viewer } = this, at = viewer.point(event), pointer = this.down.get(event.pointerId);
        if (!pointer) {
            viewer.hover(at);
            return;
        }
        if (Math.hypot(at.x - pointer.startX, at.y - pointer.startY) >= CLICK)
            this.moved = true;
        if (!this.moved)
            return;
        if (this.down.size === 2)
            this.pinch(event.pointerId, at);
        else if (this.measures)
            viewer.measure(viewer.view.t(pointer.startX), viewer.view.t(at.x));
        else
            this.drag(pointer, at, event.pointerType);
        Object.assign(pointer, at);
    }

    drag(pointer, at, type) {
        this.viewer.pan(pointer.x - at.x);
        if (type === "mouse") // Touch: the browser scrolls.
            this.viewer.parts.scroller.scrollTop += pointer.y - at.y;
    }

    // Two fingers: what was below them stays below them.
    pinch(id, at) {
        const [other] = [...this.down].filter(([key]) => key !== id).map(([, value]) => value);
        const before = this.down.get(id);
        const distance = (a, b) => Math.max(10, Math.abs(a.x - b.x));
        this.viewer.pan((before.x - at.x) / 2);
        this.viewer.zoom(distance(before, other) / distance(at, other), (at.x + other.x) / 2);
    }

    release(event) {
        const { viewer } = this;
        if (!this.down.delete(event.pointerId) || this.moved || event.type === "pointercancel")
            return;
        const { x, y } = viewer.point(event), found = hit(viewer, x, y);
        viewer.measure();
        if (x < 0)
            viewer.focusLaneAt(y);
        else if (found && found.event >= 0)
            viewer.select(found.event, found.lane);
        else
            viewer.unselect();
    }
}

// Let the mouse and touch control a viewer.
export function listenToMouse(viewer) {
    const { canvas, overview } = viewer.parts, pointers = new Pointers(viewer);
    canvas.addEventListener("wheel", event => onWheel(viewer, event), { passive: false });
    canvas.addEventListener("pointerdown", event => pointers.press(event));
    canvas.addEventListener("pointermove", event => pointers.move(event));
    canvas.addEventListener("pointerup", event => pointers.release(event));
    canvas.addEventListener("pointercancel", event => pointers.release(event));
    canvas.addEventListener("pointerleave", () => viewer.hover(null));
    canvas.addEventListener("dblclick", () => viewer.zoomToSelected());
    const go = event => {
        if (event.buttons & 1)
            viewer.goTo(event.offsetX / overview.clientWidth * viewer.trace.end);
    };
    overview.addEventListener("pointerdown", event => {
        overview.setPointerCapture(event.pointerId);
        go(event);
    });
    overview.addEventListener("pointermove", go);
}

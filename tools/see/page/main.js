// Starts the viewer of a page that tools/see/page.py has written.

import { createViewer } from "./viewer.js";
import { decodeEvents } from "./decode.js";

async function start() {
    const container = document.getElementById("viewer");
    try {
        const model = JSON.parse(document.getElementById("trace").textContent);
        model.events = await decodeEvents(model.packed);
        window.viewer = createViewer(container, model);
        window.viewer.parts.canvas.focus({ preventScroll: true });
    } catch (error) {
        container.textContent = `This trace cannot be shown: ${error.message}`;
        throw error;
    }
}

start();

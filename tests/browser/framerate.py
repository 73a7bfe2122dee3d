#!/usr/bin/env python3
"""Measure how many frames per second the timeline draws while it moves.

    framerate.py [PAGE.html]

Without a page: of a simulated trace with 200,000 events on 8 CPUs. The browser has no window and no
graphics card. No test depends on the results. The frames per second mean something only on an idle
machine. The CPU time of a frame, of all processes of the browser, is about the same on a busy one.
"""

import os
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tests.browser.simulate import simulate
from tests.browser.webdriver import Browser, find_browser
from tools.run.tool import ToolError, make_folder, remove_folder, run_tool
from tools.see.page import write_page

SECONDS = 5
PARTS = (1, 0.3, 0.03, 0.003)  # Of the trace that is in view
PIXELS = 7  # Per frame
TICKS = os.sysconf("SC_CLK_TCK")

MOVE = """
    const [part, seconds, pixels, done] = arguments;
    viewer.showAll();
    viewer.view.show(viewer.trace.end * (1 - part) / 2, viewer.trace.end * (1 + part) / 2);
    const before = viewer.framesDrawn, start = performance.now();
    function step(i) {
        const passed = (performance.now() - start) / 1000;
        if (passed >= seconds) {
            const drawn = viewer.framesDrawn - before;
            done([drawn, passed, viewer.frame.counts.rectangles]);
            return;
        }
        viewer.view.t0 += (i % 200 < 100 ? pixels : -pixels) * viewer.view.perPixel;
        viewer.draw();
        requestAnimationFrame(() => step(i + 1));
    }
    requestAnimationFrame(() => step(0));
"""


def cpu_seconds(pid):
    """The CPU time that a process and its descendants have used. Linux only."""
    total = 0
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            total = sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as f:
                total += sum(cpu_seconds(int(child)) * TICKS for child in f.read().split())
    except FileNotFoundError:
        pass  # It has ended.
    return total / TICKS


def measure(page):
    with Browser(1280, 900) as browser:
        browser.resize(1280, 900)
        browser.open(page)
        browser.wait("window.viewer && viewer.framesDrawn > 0")
        print("%d events, %d CPUs, %d pixels" % tuple(browser.run(
            "return [viewer.trace.length, viewer.trace.cpus, viewer.view.width]")))
        for view in ("cpus", "envs"):
            browser.run("viewer.setView(arguments[0])", view)
            for part in PARTS:
                before = cpu_seconds(browser.driver_pid)
                frames, seconds, rectangles = browser.request("POST", "/execute/async", {
                    "script": MOVE, "args": [part, SECONDS, PIXELS]})
                used = cpu_seconds(browser.driver_pid) - before
                print("%s, %5.1f %% of the trace in view: %5.1f frames per second, %4.1f ms of CPU "
                      "time and %5d rectangles per frame"
                      % (view, 100 * part, frames / seconds, 1000 * used / frames, rectangles))


def main():
    if len(sys.argv) > 2:
        raise ToolError("usage: framerate.py [PAGE.html]")
    if not find_browser():
        raise ToolError("Chromium or chromedriver is not installed: conf/setup --check")
    if len(sys.argv) == 2:
        measure(sys.argv[1])
        return 0
    folder = make_folder("jos-framerate-")
    try:
        path = os.path.join(folder, "page.html")
        write_page(simulate(cpus=8, events=200000, envs=280), path)
        measure(path)
    finally:
        remove_folder(folder)
    return 0


if __name__ == "__main__":
    run_tool(main)

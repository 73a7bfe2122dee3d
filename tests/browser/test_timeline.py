"""The timeline in a real browser: what it shows, mouse, keys, search, appended events, and how much
it draws per frame. Debian's Chromium is controlled by its chromedriver."""

import os
import unittest

from tests.browser import reference
from tests.browser.simulate import simulate, story
from tests.browser.webdriver import DOWN, ENTER, ESCAPE, RIGHT, SHIFT, TAB, Browser, find_browser
from tools.run.tool import make_folder, remove_folder
from tools.see.page import write_page

READY = "window.viewer && viewer.framesDrawn > 0"
CPUS = 4
HOSTILE = "<img src=x onerror='window.harmed=1'></script><b>"


class PageTest(unittest.TestCase):
    """Tests with one browser, in which each test opens a page. No test may leave an error in the
    page's console."""

    def setUp(self):
        self.addCleanup(self.check_console)

    def check_console(self):
        # The tests read pixels, and Chromium may advise against that.
        lines = [line for line in BROWSER.console() if "getImageData" not in line]
        self.assertEqual(lines, [])

    def open(self, model, name="page.html"):
        path = os.path.join(FOLDER, name)
        write_page(model, path)
        self.load(path)

    def load(self, path):
        BROWSER.open(path)
        BROWSER.wait(READY)

    def js(self, expression, *args):
        return BROWSER.run("return " + expression, *args)

    def drawn(self):
        """Wait until all changes are drawn."""
        BROWSER.wait("!viewer.waiting")

    def position(self, x, y=0):
        """A point of the canvas, x right of the labels, in pixels of the window."""
        return BROWSER.run("""
            const box = viewer.parts.canvas.getBoundingClientRect();
            return [box.left + viewer.labelWidth + arguments[0], box.top + arguments[1]];""", x, y)

    def bar(self, lane):
        """The middle of a lane's bar, as y on the canvas."""
        return self.js("26 + viewer.lanes[arguments[0]].y + viewer.lanes[arguments[0]].bar + "
                       "viewer.lanes[arguments[0]].barHeight / 2 - viewer.scrollTop", lane)

    def side(self):
        return self.js("viewer.parts.side.innerText")


class TimelineTest(PageTest):
    def setUp(self):
        super().setUp()
        self.load(PAGE)

    def event(self, kind, count=0):
        return reference.of_kind(MODEL, kind)[count]

    def look_at(self, event, around=2000):
        """Show some ticks before and after an event."""
        t = MODEL["events"]["t"][event]
        self.js("viewer.show(arguments[0], arguments[1])", t - around, t + around)
        self.drawn()

    # ---- What is shown ----

    def test_lanes_are_there(self):
        self.assertEqual(self.js("viewer.lanes.map(lane => lane.label)"),
                         ["CPU %d" % cpu for cpu in range(CPUS)] + ["big lock"])
        self.assertEqual(self.js("viewer.lanes.slice(0, -1).map(lane => lane.events.length)"),
                         [MODEL["events"]["cpu"].count(cpu) for cpu in range(CPUS)])
        self.assertEqual(self.js("document.querySelector('h1').innerText"), "primes on 4 CPUs")
        self.assertIn("3,0", self.js("viewer.parts.subtitle.innerText"))

    def test_events_are_drawn(self):
        """In the middle of an interval in user mode, the canvas has the environment's colour."""
        for event in reference.of_kind(MODEL, "leave")[50:60]:
            cpu, env = MODEL["events"]["cpu"][event], MODEL["events"]["env"][event]
            end = next(i for i in range(event + 1, len(MODEL["events"]["t"]))
                       if MODEL["events"]["cpu"][i] == cpu)
            t0, t1 = MODEL["events"]["t"][event], MODEL["events"]["t"][end]
            self.js("viewer.show(arguments[0], arguments[1])", 2 * t0 - t1, 2 * t1 - t0)
            self.drawn()
            x = self.js("Math.round(viewer.view.x(arguments[0])) - 3", t1)
            y = round(self.bar(cpu)) + 12
            colour, wanted = self.js("""[Array.from(viewer.frame.context.getImageData(
                (viewer.labelWidth + arguments[0]) * viewer.scale, arguments[1] * viewer.scale, 1,
                1).data).slice(0, 3), viewer.frame.paint.env(arguments[2])]""", x, y, env)
            self.assertEqual("#%02x%02x%02x" % tuple(colour), wanted)

    def test_times_are_right(self):
        for cpu in range(CPUS):
            with self.subTest(cpu=cpu):
                track = "viewer.intervals.cpus[%d].track" % cpu
                times = self.js("[0, 1, 2, 3].map(c => {0}.timeBefore(c, {0}.length - 1, {0}.end))"
                                .format(track))
                user, kernel, idle = reference.cpu_times(MODEL, cpu)
                self.assertEqual([times[0], times[1], times[2] + times[3]], [user, kernel, idle])
                lock = "viewer.intervals.cpus[%d].lock" % cpu
                held, *waited = self.js("[0, 1, 2].map(c => {0}.timeBefore(c, {0}.length - 1, "
                                        "{0}.end))".format(lock))
                self.assertEqual((held, sum(waited)), reference.lock_times(MODEL, cpu))

    def test_longest_interval(self):
        """The answers of the pre-reduced blocks are those of a loop over all intervals."""
        wrong = BROWSER.run("""
            const wrong = [], { track } = viewer.intervals.cpus[0], n = track.length - 1;
            const length = i => i < 0 ? -1 : track.endOf(i) - track.start.data[i];
            for (let k = 0; k < 500; k++) {
                const from = (k * 7919) % n, to = from + (k * 104729) % (n - from);
                let best = -1;
                for (let i = from; i < to; i++)
                    if (track.cls.data[i] === 0 && length(i) > length(best))
                        best = i;
                if (length(track.longest(from, to)) !== length(best))
                    wrong.push([from, to]);
            }
            return [n, track.longestOf.length, wrong];""")
        self.assertGreater(wrong[0], 300)
        self.assertGreaterEqual(wrong[1], 1)
        self.assertEqual(wrong[2], [])

    def test_summary(self):
        rows = self.js("Array.from(viewer.parts.summary.querySelectorAll('table'), table => "
                       "Array.from(table.rows, row => Array.from(row.cells, c => c.innerText)))")
        cpus, envs = ([dict(zip(table[0], row)) for row in table[1:]] for table in rows)
        for number, row in enumerate(cpus):
            mine = [MODEL["kinds"][kind] for kind, cpu in
                    zip(MODEL["events"]["kind"], MODEL["events"]["cpu"]) if cpu == number]
            for heading, kind in (("switches", "run"), ("messages", "message"),
                                  ("faults", "fault"), ("IPIs", "ipi")):
                self.assertEqual(row[heading], str(mine.count(kind)))
        for row in envs:
            mine = [MODEL["kinds"][kind] for kind, env in
                    zip(MODEL["events"]["kind"], MODEL["events"]["env"])
                    if env == int(row["environment"], 16)]
            for heading, kind in (("switches", "run"), ("sent", "message"), ("faults", "fault")):
                self.assertEqual(row[heading], str(mine.count(kind)))
        self.assertEqual(len(envs), len(set(MODEL["events"]["env"]) - {0}))

    def test_environments_view(self):
        BROWSER.keys("v")
        self.drawn()
        self.assertEqual(self.js("viewer.lanes.map(lane => lane.label)"), [
            "%08x" % env["id"] for env in MODEL["envs"]])
        self.assertGreater(self.js("viewer.frame.counts.rectangles"), 100)
        # The times on a CPU are the same in both views.
        total = self.js("viewer.lanes.map(({track}) => [0, 1].map(c => track.timeBefore(c, "
                        "track.length - 1, track.end))).flat().reduce((a, b) => a + b)")
        busy = sum(sum(reference.cpu_times(MODEL, cpu)[:2]) for cpu in range(CPUS))
        self.assertLess(abs(busy - total), 0.01 * busy)  # The kernel also runs for no environment.

    def test_arrows(self):
        self.assertEqual(self.js("viewer.intervals.arrows.kind.length"), sum(
            len(reference.of_kind(MODEL, kind)) for kind in ("message", "fork", "ipi")))
        fork = self.event("fork", 2)
        child = MODEL["events"]["arg"][fork]
        runs = next(i for i in reference.of_kind(MODEL, "run")
                    if i > fork and MODEL["events"]["env"][i] == child)
        self.look_at(fork)
        self.js("viewer.select(arguments[0])", fork)
        self.drawn()
        self.assertGreater(self.js("viewer.frame.counts.arrows"), 0)
        self.js("viewer.followArrow()")
        self.assertEqual(self.js("viewer.selected.event"), runs)

    # ---- Mouse ----

    def test_wheel_zooms_to_the_mouse(self):
        x, y = self.position(300, self.bar(1))
        before = self.js("[viewer.view.t(300), viewer.view.perPixel]")
        BROWSER.wheel(x, y, -400)
        BROWSER.wait("viewer.view.perPixel < %r" % before[1])
        after = self.js("[viewer.view.t(300), viewer.view.perPixel]")
        self.assertAlmostEqual(after[0], before[0], delta=2 * after[1])
        BROWSER.wheel(x, y, 4000)
        BROWSER.wait("viewer.view.showsAll")

    def test_drag_moves(self):
        self.look_at(self.event("leave", 500))
        x, y = self.position(300, self.bar(1))
        t = self.js("viewer.view.t(300)")
        BROWSER.mouse(("move", x, y), ("down",), ("move", x + 100, y), ("move", x + 150, y),
                      ("up",))
        self.assertAlmostEqual(self.js("viewer.view.t(450)"), t, delta=1)
        self.assertIsNone(self.js("viewer.selected"))

    def test_click_selects(self):
        event = self.event("message", 20)
        events = MODEL["events"]
        self.look_at(event, 500)
        lane = events["cpu"][event]
        x, y = self.position(self.js("viewer.view.x(arguments[0])", events["t"][event]),
                             self.bar(lane))
        BROWSER.click(x, y)
        self.assertEqual(self.js("viewer.selected.event"), event)
        said = self.side()
        for text in ("The message of environment %08x (primes) is delivered to %08x "
                     "(primes)" % (events["env"][event], events["arg"][event]),
                     "{:,.3f} µs ({:,} ticks)".format(events["t"][event] / 1000,
                                                      events["t"][event]),
                     "CPU\n%d\n" % lane, "ipc_send at kern/ipc.c:120"):
            self.assertIn(text, said)
        self.assertIn("is delivered to", self.js("viewer.parts.live.textContent"))

    def test_click_into_an_interval_selects_its_beginning(self):
        event = self.event("enter", 30)
        lane, events = MODEL["events"]["cpu"][event], MODEL["events"]
        t1 = next(events["t"][i] for i in range(event + 1, len(events["t"]))
                  if events["cpu"][i] == lane)
        self.js("viewer.show(arguments[0], arguments[1])", events["t"][event], t1)
        self.drawn()
        BROWSER.click(*self.position(self.js("viewer.view.width / 2"), self.bar(lane)))
        self.assertEqual(self.js("viewer.selected.event"), event)
        call = MODEL["calls"][events["arg"][event] >> 8]
        self.assertIn("calls " + call, self.side())

    def test_mouse_highlights_an_environment(self):
        event = self.event("leave", 100)
        lane = MODEL["events"]["cpu"][event]
        self.look_at(event, 60)
        x, y = self.position(self.js("viewer.view.x(arguments[0])",
                                     MODEL["events"]["t"][event]) + 8, self.bar(lane))
        BROWSER.mouse(("move", x, y))
        BROWSER.wait("viewer.hovered === %d" % MODEL["events"]["env"][event])
        self.assertIn("in user mode", self.js("viewer.parts.tip.innerText"))
        BROWSER.mouse(("move", 5, 5))
        BROWSER.wait("viewer.hovered === 0 && viewer.parts.tip.hidden")

    # ---- Keys ----

    def test_keys_alone(self):
        """From the start of the page to an event found by search, without a mouse."""
        self.assertTrue(self.js("document.activeElement === viewer.parts.canvas"))
        span = "viewer.view.t1 - viewer.view.t0"
        all_of_it = self.js(span)
        BROWSER.keys("w", "w", "w")
        self.assertLess(self.js(span), 0.6 * all_of_it)
        t0 = self.js("viewer.view.t0")
        BROWSER.keys("d", RIGHT)
        self.assertGreater(self.js("viewer.view.t0"), t0)
        BROWSER.keys("a", "a")
        self.assertAlmostEqual(self.js("viewer.view.t0"), t0, delta=2)
        BROWSER.keys("s", DOWN, "s", "s")
        self.assertTrue(self.js("viewer.view.showsAll"))

        BROWSER.keys("j", ENTER)
        events = MODEL["events"]
        mine = [i for i, cpu in enumerate(events["cpu"]) if cpu == 1]
        self.assertEqual(self.js("viewer.selected.event"), mine[0])
        BROWSER.keys(TAB, TAB)
        self.assertEqual(self.js("viewer.selected.event"), mine[2])
        BROWSER.keys(TAB, held=SHIFT)
        self.assertEqual(self.js("viewer.selected.event"), mine[1])
        self.assertIn("CPU 1", self.js("viewer.parts.live.textContent"))
        BROWSER.keys(ESCAPE)
        self.assertIsNone(self.js("viewer.selected"))
        BROWSER.keys(TAB)  # Now it leaves the timeline.
        self.assertFalse(self.js("document.activeElement === viewer.parts.canvas"))

        BROWSER.keys("/")
        self.assertTrue(self.js("document.activeElement === viewer.parts.search"))
        BROWSER.keys(*"fork", ENTER)
        forks = reference.of_kind(MODEL, "fork")
        self.assertIn(self.js("viewer.selected.event"), self.js("Array.from(viewer.matches)"))
        self.assertTrue(set(forks) <= set(self.js("Array.from(viewer.matches)")))

    def test_help(self):
        BROWSER.keys("?")
        self.assertTrue(self.js("viewer.parts.help.open"))
        self.assertIn("zoom in", self.js("viewer.parts.help.innerText"))
        BROWSER.keys(ESCAPE)
        BROWSER.wait("!viewer.parts.help.open")

    def test_focus_is_visible(self):
        BROWSER.keys("/")
        for _ in range(9):
            BROWSER.keys(TAB)
            self.assertNotEqual(self.js("getComputedStyle(document.activeElement).outlineStyle"),
                                "none")

    # ---- Search ----

    def search(self, text):
        return self.js("(viewer.parts.search.value = arguments[0], viewer.search(), "
                       "Array.from(viewer.matches))", text)

    def test_search(self):
        events = MODEL["events"]
        self.assertEqual(self.search("cpu2"),
                         [i for i, cpu in enumerate(events["cpu"]) if cpu == 2])
        recv = MODEL["calls"].index("ipc_recv") << 8 | 48
        enters = [i for i in reference.of_kind(MODEL, "enter") if events["arg"][i] == recv]
        self.assertTrue(set(enters) <= set(self.search("IPC_recv")))
        self.assertEqual(self.search("ipc.c:120 message"), reference.of_kind(MODEL, "message"))
        env = MODEL["envs"][3]["id"]
        self.assertEqual(set(self.search("%08x" % env)), {
            i for i, e in enumerate(events["env"]) if e == env or (
                MODEL["kinds"][events["kind"][i]] in ("message", "fork", "destroy")
                and events["arg"][i] == env)})
        self.assertEqual(self.search("no such thing"), [])
        self.assertEqual(self.search("  "), [])

    def test_next_and_previous_match(self):
        matches = self.search("fault at 0xeebf") or self.search("fault page_fault_handler")
        BROWSER.keys("n", "n", "n")
        self.assertEqual(self.js("viewer.selected.event"), matches[2])
        self.assertIn("3 of %d" % len(matches), self.js("viewer.parts.count.innerText"))
        BROWSER.keys("p", "p", "p")
        self.assertEqual(self.js("viewer.selected.event"), matches[-1])

    # ---- Themes and sizes ----

    def test_light_and_dark(self):
        self.addCleanup(BROWSER.set_dark, False)
        ground = "getComputedStyle(viewer.root).backgroundColor"
        for dark, colour in ((True, "rgb(15, 19, 24)"), (False, "rgb(255, 255, 255)")):
            BROWSER.set_dark(dark)
            BROWSER.wait("viewer.themeName === '%s'" % ("dark" if dark else "light"))
            self.assertEqual(self.js(ground), colour)
        BROWSER.keys("t")
        self.assertEqual(self.js(ground), "rgb(15, 19, 24)")

    def test_narrow(self):
        self.addCleanup(BROWSER.resize, 1280, 900)
        BROWSER.resize(360, 740)
        BROWSER.wait("viewer.width <= 360")
        self.assertLessEqual(self.js("document.documentElement.scrollWidth"), 360)
        self.assertEqual(self.js("""Array.from(
            document.querySelectorAll(".see-tools button, input"),
            item => item.getBoundingClientRect()).filter(box => box.right > 360 || box.width < 24)
            .length"""), 0)
        self.assertGreater(self.js("viewer.view.width"), 200)
        BROWSER.keys("v")
        self.drawn()
        self.assertGreater(self.js("viewer.view.width"), 200)

    # ---- As a part of other pages ----

    def test_append(self):
        """A viewer to which the events are appended in parts knows what one does that has all."""
        part = "(e, a, b) => Object.fromEntries(Object.entries(e).map(([k, v]) => " \
               "[k, v.slice(a, b)]))"
        known = """v => JSON.stringify([
            v.intervals.cpus.map(c => [c.track.length, c.lock.length, c.switches, c.messages,
                [0, 1, 2, 3].map(k => c.track.timeBefore(k, c.track.length - 1, c.track.end))]),
            [...v.intervals.envs.values()].map(e => [e.id, e.track.length, e.user, e.kernel,
                e.held, e.waited, e.onCpu, e.faults]),
            Array.from(v.intervals.arrows.to.data.slice(0, v.intervals.arrows.to.length))])"""
        BROWSER.run("""
            const part = %s, model = arguments[0], all = model.events;
            const box = document.createElement("div");
            document.body.append(box);
            model.events = part(all, 0, 1000);
            window.grown = new viewer.constructor(box, model);
            grown.append(part(all, 1000, 1001));
            grown.append(part(all, 1001, all.t.length));""" % part, MODEL)
        BROWSER.wait("grown.framesDrawn > 0 && !grown.waiting")
        self.assertTrue(self.js("grown.view.showsAll"))
        self.assertEqual(self.js("(%s)(grown)" % known), self.js("(%s)(viewer)" % known))
        self.js("grown.destroy()")
        self.assertEqual(self.js("document.querySelectorAll('.see').length"), 1)

    def test_wrong_events_are_refused(self):
        length = len(MODEL["events"]["t"])
        good = {"t": [10 ** 9], "cpu": [0], "kind": [0], "env": [0], "arg": [0], "place": [-1]}
        for name, values, words in (
                ("t", [1], "earlier"), ("cpu", [CPUS], "too large"), ("kind", [99], "too large"),
                ("place", [99], "too large"), ("arg", [-1], "arg"), ("env", [], "env"),
                ("t", ["x"], "t"), ("place", [-2], "place")):
            said = BROWSER.run("try { viewer.append(arguments[0]); return ''; } "
                               "catch (error) { return error.message; }",
                               dict(good, **{name: values}))
            self.assertIn(words, said)
            self.assertEqual(self.js("viewer.trace.length"), length)
        BROWSER.run("viewer.append(arguments[0])", good)
        self.assertEqual(self.js("viewer.trace.length"), length + 1)


class StoryTest(PageTest):
    """Traces of a few events. A is 00001000, B is 00001001."""

    A, B = 0x1000, 0x1001
    ON_USER, ON_KERNEL, READY, BLOCKED, ABSENT = range(5)

    def track(self, env):
        """[state, start] for each interval of an environment."""
        return self.js("""(track => Array.from({length: track.length}, (_, i) =>
            [track.cls.data[i], track.start.data[i]]))(
            viewer.intervals.envs.get(arguments[0]).track)""", env)

    def arrows(self):
        """[from, to, CPU, CPU, environment, environment] for each arrow."""
        return self.js("""(a => Array.from({length: a.kind.length}, (_, i) => [a.from, a.to,
            a.fromCpu, a.toCpu, a.fromEnv, a.toEnv].map(c => c.data[i])))(
            viewer.intervals.arrows)""")

    def test_receiver_waits_for_sender(self):
        a, b = self.A, self.B
        self.open(story(2, (0, 0, "enter", b, 12 << 8 | 48), (10, 0, "block", b, 0),
                        (20, 0, "idle", 0, 0), (30, 0, "halt", 0, 0), (40, 1, "leave", a, 0),
                        (50, 1, "enter", a, 11 << 8 | 48), (60, 1, "message", a, b),
                        (70, 1, "ipi", a, 240), (80, 0, "interrupt", 0, 240),
                        (90, 0, "run", b, b), (100, 0, "leave", b, 0), (110, 1, "leave", a, 0)))
        self.assertEqual(self.track(b), [[self.ON_KERNEL, 0], [self.BLOCKED, 20], [self.READY, 60],
                                         [self.ON_KERNEL, 90], [self.ON_USER, 100]])
        self.assertEqual(self.arrows(), [[60, 90, 1, 0, a, b], [70, 80, 1, 0, a, 0]])

    def test_sender_waits_for_receiver(self):
        a, b = self.A, self.B
        self.open(story(1, (0, 0, "enter", a, 11 << 8 | 48), (10, 0, "block", a, 1),
                        (20, 0, "run", b, b), (30, 0, "leave", b, 0),
                        (40, 0, "enter", b, 12 << 8 | 48), (50, 0, "message", a, b),
                        (60, 0, "leave", b, 0), (70, 0, "enter", b, 32), (80, 0, "run", a, a),
                        (90, 0, "leave", a, 0)))
        self.assertEqual(self.track(a), [[self.ON_KERNEL, 0], [self.BLOCKED, 20], [self.READY, 50],
                                         [self.ON_KERNEL, 80], [self.ON_USER, 90]])
        self.assertEqual(self.arrows(), [[10, 50, 0, 0, a, b]])
        self.js("viewer.select(5)")
        self.assertIn("The message of environment 00001000 (primes) is delivered to 00001001",
                      self.side())

    def test_life(self):
        a, b = self.A, self.B
        self.open(story(1, (0, 0, "leave", a, 0), (10, 0, "enter", a, 7 << 8 | 48),
                        (20, 0, "fork", a, b), (30, 0, "leave", a, 0), (40, 0, "enter", a, 32),
                        (50, 0, "run", b, b), (60, 0, "leave", b, 0),
                        (70, 0, "enter", b, 3 << 8 | 48), (80, 0, "destroy", b, b),
                        (90, 0, "run", a, a), (100, 0, "leave", a, 0)))
        self.assertEqual(self.track(b), [[self.BLOCKED, 20], [self.ON_KERNEL, 50],
                                         [self.ON_USER, 60], [self.ON_KERNEL, 70],
                                         [self.ABSENT, 80]])
        self.assertEqual(self.track(a)[3:], [[self.ON_KERNEL, 40], [self.READY, 50],
                                             [self.ON_KERNEL, 90], [self.ON_USER, 100]])
        self.assertEqual(self.arrows(), [[20, 50, 0, 0, a, b]])


class OtherModelsTest(PageTest):
    def test_hostile_names(self):
        model = simulate(cpus=1, events=300, envs=3)
        model["program"] = model["command"] = HOSTILE
        for env in model["envs"]:
            env["program"] = HOSTILE
        model["places"] = [HOSTILE + place for place in model["places"]]
        self.open(model)
        self.assertIn(HOSTILE, self.js("viewer.parts.title.innerText"))
        BROWSER.keys("j", "k", ENTER, TAB, TAB, "v")
        self.assertIn(HOSTILE, self.side())
        self.assertEqual(self.js("document.querySelectorAll('img, b').length"), 0)
        self.assertIsNone(self.js("window.harmed"))

    def test_lost_records_are_reported(self):
        model = simulate(cpus=2, events=300)
        model["lost"] = [0, 1234]
        self.open(model)
        self.assertIn("1,234 records were lost (CPU 1: 1,234)",
                      self.js("viewer.parts.warning.innerText"))

    def test_no_events(self):
        model = simulate(cpus=2, events=300)
        model["events"] = {name: [] for name in model["events"]}
        self.open(model)
        BROWSER.keys("w", "d", ENTER, "n", "v", "0", "h", "l")
        self.assertIn("0 events", self.js("viewer.parts.subtitle.innerText"))

    def test_one_event(self):
        model = simulate(cpus=2, events=300)
        model["events"] = {name: values[:1] for name, values in model["events"].items()}
        self.open(model)
        BROWSER.keys("w", "d", ENTER, "v", "0", "h", "l", "v")
        self.assertEqual(self.js("viewer.trace.length"), 1)

    def test_unknown_kinds_are_shown(self):
        model = simulate(cpus=1, events=300)
        model["kinds"] = [*model["kinds"], "flush"]
        model["events"]["kind"][100] = len(model["kinds"]) - 1
        self.open(model)
        self.js("viewer.select(100)")
        self.assertIn("Flush, argument", self.side())

    def test_work_per_frame_depends_on_pixels(self):
        """A frame with all of 200,000 events, and each frame of a pan, draws at most a few
        rectangles per pixel and lane."""
        cpus = 8
        self.open(simulate(cpus=cpus, events=200000, envs=280))
        limit = 5 * (cpus + 1) * self.js("viewer.view.width")
        most = BROWSER.run("""
            let most = 0;
            for (const zoom of [1, 0.5, 0.1, 0.01, 0.001]) {
                viewer.showAll();
                viewer.zoom(zoom);
                for (let i = 0; i < 20; i++) {
                    viewer.pan(40);
                    viewer.draw();
                    const { rectangles, marks, arrows, texts } = viewer.frame.counts;
                    most = Math.max(most, rectangles + marks + arrows + texts);
                }
            }
            return most;""")
        self.assertLess(most, limit)
        self.assertGreater(most, 1000)
        # The environments' view draws the lanes that are in view only.
        BROWSER.run("viewer.setView('envs'); viewer.showAll(); viewer.draw();")
        lanes, counts = self.js("[viewer.lanes.length, viewer.frame.counts]")
        self.assertLess(counts["lanes"], lanes / 2)
        self.assertLess(counts["rectangles"], limit)


def setUpModule():
    global BROWSER, FOLDER, MODEL, PAGE
    if not find_browser():
        raise unittest.SkipTest("Chromium or chromedriver is not installed: conf/setup --check")
    FOLDER = make_folder("jos-browser-")
    MODEL = simulate(cpus=CPUS, events=3000, envs=12)
    PAGE = os.path.join(FOLDER, "timeline.html")
    write_page(MODEL, PAGE)
    BROWSER = Browser(1280, 900)
    BROWSER.__enter__()
    BROWSER.resize(1280, 900)


def tearDownModule():
    if find_browser():
        BROWSER.__exit__()
        remove_folder(FOLDER)


if __name__ == "__main__":
    unittest.main()

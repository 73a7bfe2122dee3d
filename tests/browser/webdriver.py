"""A small client of the W3C WebDriver protocol, for the system's Chromium and chromedriver.

Debian has both as packages (chromium, chromium-driver), always of the same version, so the tests
need neither npm nor a package of Python."""

import base64
import http.client
import json
import os
import re
import select
import shutil

from tools.run.child import Child
from tools.run.patience import Patience
from tools.run.tool import ToolError

LIMIT_SECONDS = 100  # For a browser that hangs; waiting for a CPU does not count
DRIVER_SECONDS = 3600  # The driver's own limits, which count all time: longer than ours
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # The name that the standard gives to a reference

# No window, the same colours everywhere, nothing in the background.
ARGUMENTS = ["--headless=new", "--force-color-profile=srgb", "--disable-dev-shm-usage",
             "--disable-gpu", "--disable-extensions", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]

# Keys that are no characters
TAB, ENTER, SHIFT, ESCAPE = "\ue004", "\ue007", "\ue008", "\ue00c"
LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"


class DriverError(ToolError):
    """The browser reports an error."""


def find_browser():
    """The paths of Chromium and of its driver, or None."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """A Chromium without a window, with one page. Use it in a with statement."""

    def __init__(self, width=1280, height=900, args=()):
        self.browser, driver = find_browser()
        self.size = (width, height)
        self.args = list(args)
        self.session = None
        self._driver = Child([driver, "--port=0"], limit=LIMIT_SECONDS)

    @property
    def driver_pid(self):
        """The process whose descendants are those of the browser."""
        return self._driver.pid

    def __enter__(self):
        try:
            self.port = int(self._driver.wait_for(r"successfully on port (\d+)")[1])
            self._start()
        except BaseException:
            self._driver.stop()
            raise
        return self

    def __exit__(self, *unused):
        try:
            if self.session:
                self.request("DELETE", "")
        finally:
            self._driver.stop()

    def _start(self):
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # It does not work for root.
        options = {
            "binary": self.browser, "browserStartupTimeout": 1000 * DRIVER_SECONDS,
            "args": [*ARGUMENTS, "--window-size=%d,%d" % self.size, *sandbox, *self.args]}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options,
                        "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._send("POST", "/session",
                            {"capabilities": {"alwaysMatch": capabilities}})
        self.session = answer["sessionId"]
        self.request("POST", "/timeouts", {name: 1000 * DRIVER_SECONDS
                                           for name in ("script", "pageLoad")})

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode("utf-8")
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        patience = Patience(LIMIT_SECONDS, [self._driver.pid])
        try:
            connection.request(method, path, data, {"Content-Type": "application/json"})
            while not select.select([connection.sock], [], [], max(0, patience.left()))[0]:
                if patience.left() <= 0:
                    raise DriverError("the browser does not answer: %s %s" % (method, path))
            answer = connection.getresponse()
            value = json.load(answer)["value"]
        finally:
            connection.close()
        if answer.status != 200:
            raise DriverError(value["message"].split("\n")[0])
        return value

    def request(self, method, path, body=None):
        """Send a command of the session; return its value."""
        return self._send(method, "/session/%s%s" % (self.session, path), body)

    def open(self, path):
        """Open a file."""
        self.request("POST", "/url", {"url": "file://" + os.path.abspath(path)})

    def run(self, script, *args):
        """Run a function's body in the page; return what it returns. A promise is waited for."""
        return self.request("POST", "/execute/sync", {"script": script, "args": list(args)})

    def wait(self, condition):
        """Wait until a JavaScript expression is true: it is tested before each frame."""
        self.request("POST", "/execute/async", {"args": [], "script": """
            const done = arguments[0];
            const test = () => { if (%s) done(true); else requestAnimationFrame(test); };
            test();""" % condition})

    def keys(self, *keys, held=""):
        """Press and release keys, one after the other, while the key `held` is down."""
        actions = [{"type": "keyDown", "value": held}] if held else []
        for key in keys:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        actions += [{"type": "keyUp", "value": held}] if held else []
        self._act({"type": "key", "id": "keyboard", "actions": actions})

    def _act(self, source):
        self.request("POST", "/actions", {"actions": [source]})

    def mouse(self, *steps):
        """Mouse actions: ("move", x, y), ("down",), ("up",), in pixels of the window."""
        actions = []
        for name, *at in steps:
            if name == "move":
                actions.append({"type": "pointerMove", "duration": 0, "origin": "viewport",
                                "x": round(at[0]), "y": round(at[1])})
            else:
                actions.append({"type": {"down": "pointerDown", "up": "pointerUp"}[name],
                                "button": 0})
        self._act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
                   "actions": actions})

    def click(self, x, y):
        self.mouse(("move", x, y), ("down",), ("up",))

    def wheel(self, x, y, dy, dx=0):
        self._act({"type": "wheel", "id": "wheel", "actions": [
            {"type": "scroll", "x": round(x), "y": round(y), "deltaX": dx, "deltaY": dy,
             "duration": 0, "origin": "viewport"}]})

    def devtools(self, command, **parameters):
        """Send a command of Chromium's own protocol."""
        return self.request("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width, height, mobile=False):
        """Set the size of the page, also to one that a window cannot have."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=mobile)

    def set_dark(self, dark):
        """Whether the system prefers dark pages."""
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def console(self):
        """The messages in the page's console since the last call, with the page's address cut."""
        entries = self.request("POST", "/se/log", {"type": "browser"})
        return [re.sub(r"file:\S*/", "", "%(level)s %(message)s" % entry) for entry in entries]

    def screenshot(self):
        """The bytes of a PNG of the window."""
        return base64.b64decode(self.request("GET", "/screenshot"))

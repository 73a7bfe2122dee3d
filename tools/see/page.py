#!/usr/bin/env python3
"""Write the timeline of a trace as one HTML file, which needs no network.

    page.py MODEL.json PAGE.html

decode.py describes the model. page/ has the viewer: page.html is the template, style.css the style,
and main.js is the first of the JavaScript modules, which are put into the page as one script.
"""

import array
import base64
import gzip
import html
import json
import os
import re
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.tool import ToolError, run_tool

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
VERSION = 1
MOST_CPUS = 255
MOST_KINDS = 255

# The columns of the events in the order of page/decode.js: name, type code of `array`, least value,
# largest value. A time is packed as the difference to the time before.
COLUMNS = (("t", "d", 0, 2 ** 53 - 1), ("env", "i", 0, 2 ** 31 - 1), ("arg", "I", 0, 2 ** 32 - 1),
           ("place", "i", -1, 2 ** 31 - 1), ("cpu", "B", 0, MOST_CPUS - 1),
           ("kind", "B", 0, MOST_KINDS - 1))

# Member of a model: (its type, whether it may be missing)
MEMBERS = {"version": (int, False), "program": (str, False), "command": (str, True),
           "cpus": (int, False), "ticks_per_second": ((int, float), False), "lost": (list, True),
           "envs": (list, False), "calls": (list, False), "traps": (dict, False),
           "kinds": (list, False), "places": (list, False), "events": (dict, False)}

IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.-]+)";\n', re.M)


class PageError(ToolError):
    """The model is wrong, or the viewer's files are."""


# ---- The model ----

def check_members(model):
    if not isinstance(model, dict):
        raise PageError("wrong model: not an object")
    for name, (kind, may_be_missing) in MEMBERS.items():
        if name not in model:
            if not may_be_missing:
                raise PageError("wrong model: there is no '%s'" % name)
        elif not isinstance(model[name], kind) or isinstance(model[name], bool):
            raise PageError("wrong model: the type of '%s'" % name)
    if model["version"] != VERSION:
        raise PageError("wrong model: version %d, but this page needs version %d"
                        % (model["version"], VERSION))
    if not 1 <= model["cpus"] <= MOST_CPUS:
        raise PageError("wrong model: %d CPUs" % model["cpus"])
    if not model["ticks_per_second"] > 0:
        raise PageError("wrong model: ticks_per_second is not above 0")
    if len(model["kinds"]) > MOST_KINDS:
        raise PageError("wrong model: more than %d kinds" % MOST_KINDS)


def check_names(model):
    for name in ("calls", "kinds", "places"):
        if not all(isinstance(text, str) for text in model[name]):
            raise PageError("wrong model: '%s' has something other than texts" % name)
    if not all(isinstance(text, str) for text in model["traps"].values()):
        raise PageError("wrong model: 'traps' has something other than texts")
    for env in model["envs"]:
        if not (isinstance(env, dict) and isinstance(env.get("id"), int)
                and isinstance(env.get("program"), str)):
            raise PageError("wrong model: an environment without 'id' or 'program'")
    if not all(isinstance(count, int) and count >= 0 for count in model.get("lost", ())):
        raise PageError("wrong model: 'lost' has something other than counts")


def check_events(model):
    events, count = model["events"], len(model["events"].get("t", ()))
    limits = {"cpu": model["cpus"], "kind": len(model["kinds"]), "place": len(model["places"])}
    for name, _, least, largest in COLUMNS:
        values = events.get(name)
        if not isinstance(values, list) or len(values) != count:
            raise PageError("wrong model: the column '%s' is not as long as the others" % name)
        if not all(type(value) is int for value in values):
            raise PageError("wrong model: the column '%s' has something other than integers" % name)
        most = min(largest, limits.get(name, largest + 1) - 1)
        if values and not (least <= min(values) and max(values) <= most):
            raise PageError("wrong model: a number in the column '%s' is out of range" % name)
    times = events["t"]
    if any(times[i] < times[i - 1] for i in range(1, count)):
        raise PageError("wrong model: the events are not in the order of time")


def check_model(model):
    """Raise PageError if the viewer cannot show the model."""
    check_members(model)
    check_names(model)
    check_events(model)


# ---- The page ----

def pack_events(events):
    """The columns one after the other as little-endian numbers, compressed, in base64."""
    parts = []
    for name, code, _, _ in COLUMNS:
        values = events[name]
        if name == "t":
            values = [t - before for t, before in zip(values, [0] + values)]
        column = array.array(code, values)
        if sys.byteorder == "big":
            column.byteswap()
        parts.append(column.tobytes())
    return {"count": len(events["t"]),
            "data": base64.b64encode(gzip.compress(b"".join(parts), 6, mtime=0)).decode("ascii")}


def json_in_script(value):
    """JSON that can stand in a script element: there, `<` could begin `</script>` or `<!--`."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def read(name):
    try:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        raise PageError("tools/see/page/%s is missing" % name) from None


def bundle(first="main.js"):
    """One script from a module and all modules that it imports, each after those that it needs. The
    modules share one scope, so no two may define the same name: the browser reports that. Modules
    that import each other are an error."""
    done, parts = set(), []

    def add(name, importers):
        if name in importers:
            raise PageError("tools/see/page: modules import each other: "
                            + ", ".join([*importers, name]))
        if name in done:
            return
        text = read(name)
        for names, imported in IMPORT.findall(text):
            if re.search(r"\bas\b", names):
                raise PageError("tools/see/page/%s: 'as' in an import" % name)
            add(imported, [*importers, name])
        text = IMPORT.sub("", text)
        done.add(name)
        parts.append("// ---- %s ----\n\n%s"
                     % (name, re.sub(r"(?m)^export (?=(async )?(function|class|const|let)\b)", "",
                                     text)))

    add(first, [])
    script = "\n".join(parts)
    wrong = re.search(r"(?m)^(import|export)\b.*|</script|<!--", script, re.I)
    if wrong:
        raise PageError("tools/see/page: a script may not contain: " + wrong[0])
    return script


def page_text(model):
    """The page for a model, as a text."""
    check_model(model)
    small = {name: value for name, value in model.items() if name != "events"}
    small["packed"] = pack_events(model["events"])
    title = "%s on %d CPU%s" % (model["program"] or "trace", model["cpus"],
                                "" if model["cpus"] == 1 else "s")
    values = {"TITLE": html.escape(title), "STYLE": read("style.css").strip(),
              "MODEL": json_in_script(small), "SCRIPT": bundle().strip()}
    # All at once: a value may contain what looks like another placeholder.
    return re.sub("@(TITLE|STYLE|MODEL|SCRIPT)@", lambda found: values[found[1]],
                  read("page.html"))


def write_page(model, path):
    """Write the page for a model to a file. Raises PageError if the model is wrong, OSError if the
    file cannot be written."""
    text = page_text(model)
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.write(text)


def main():
    if len(sys.argv) != 3:
        raise PageError("usage: page.py MODEL.json PAGE.html")
    try:
        with open(sys.argv[1], encoding="utf-8") as f:
            model = json.load(f)
    except ValueError as e:
        raise PageError("%s: not a JSON file: %s" % (sys.argv[1], e)) from None
    write_page(model, sys.argv[2])
    return 0


if __name__ == "__main__":
    run_tool(main)

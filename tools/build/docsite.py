#!/usr/bin/env python3
"""Make the handbook's site with mkdocs: the pages of docs/, a search, and a timeline.

    docsite.py --check                           only check that mkdocs is installed
    docsite.py --timeline FILE --output FOLDER

The order of the pages is that of docs/README.md. A README in a folder is the contents of a section.
The site is complete in itself: it loads nothing from other addresses.
"""

import argparse
import glob
import html
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import ROOT
from tools.run.child import Child
from tools.run.tool import ToolError, run_tool

MKDOCS = "mkdocs"
LIMIT_SECONDS = 300
README = "README.md"
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+\.md)\)")

TIMELINE = "timeline.md"
TIMELINE_TITLE = "A timeline to try"
AFTER = "see.md"  # The timeline to try comes after this page.
TIMELINE_PAGE = """# %s

What four CPUs did while `user/stresssched.c` ran, as `make trace-stresssched CPUS=4` shows it. Zoom
with the wheel, drag, click; `?` lists the keys. [See it](see.md) explains what you see, and
[%s](timeline/%s) opens it alone.

<iframe src="timeline/%s" title="The timeline" style="width: 100%%; height: 40em"></iframe>
"""


def entry(docs, folder, text, target):
    """A link as a part of the table of contents."""
    path = os.path.normpath(os.path.join(folder, target))
    title = text[0].upper() + text[1:]
    return {title: contents(docs, path) if os.path.basename(path) == README else path}


def contents(docs, page=None):
    """The table of contents that a README has: a list of {title: page} and {title: list}. An item
    `Title: [link](page.md), [link](page.md)` is a list, and so is an item whose first link is the
    README of a folder. This README is also a page."""
    folder = os.path.dirname(page or "")
    with open(os.path.join(docs, page or README), encoding="utf-8") as f:
        items = re.findall(r"(?ms)^- (.*?)(?=^- |^$|\Z)", f.read())
    result = [page] if page else []
    for item in items:
        links = [entry(docs, folder, text, target) for text, target in LINK.findall(item)]
        section = re.match(r"([^:\[]+): \[", item)
        for place in [i for i, link in enumerate(links) if AFTER in link.values()]:
            links.insert(place + 1, {TIMELINE_TITLE: TIMELINE})
        if section:
            links = [{section[1]: links}]
        elif len(links) > 1 and isinstance(next(iter(links[0].values())), list):
            next(iter(links[0].values())).extend(links[1:])  # More pages of this section
            links = links[:1]
        result += links
    return result


def settings(docs, site):
    """The settings of mkdocs. JSON is also YAML."""
    return {
        "site_name": "JOS, rebuilt",
        "docs_dir": docs,
        "site_dir": site,
        "theme": {"name": "mkdocs", "highlightjs": False},
        "use_directory_urls": False,  # Pages can be opened as files, without a server.
        "plugins": ["search"],
        "nav": contents(docs),
    }


def adapt(text):
    """GitHub needs \\| for a | in a table's code, and mkdocs would show the backslash."""
    def adapted(code):
        return "<code>%s</code>" % html.escape(code[1]).replace("\\|", "&#124;")
    return re.sub(r"`([^`\n]*\\\|[^`\n]*)`", adapted, text)


def copy_pages(docs):
    """Copy docs/ to another folder."""
    shutil.copytree(os.path.join(ROOT, "docs"), docs)
    for path in glob.glob(os.path.join(docs, "**", "*.md"), recursive=True):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(adapt(text))


def add_timeline(docs, timeline):
    """Copy the timeline, a page of its own, and add a page that shows it."""
    name = os.path.basename(timeline)
    os.mkdir(os.path.join(docs, "timeline"))
    shutil.copy(timeline, os.path.join(docs, "timeline", name))
    with open(os.path.join(docs, TIMELINE), "w", encoding="utf-8") as f:
        f.write(TIMELINE_PAGE % (TIMELINE_TITLE, name, name, name))


def check_mkdocs():
    if not shutil.which(MKDOCS):
        raise ToolError("%s is missing: conf/setup --check installs it" % MKDOCS)


def main():
    parser = argparse.ArgumentParser(description="Make the handbook's site.")
    parser.add_argument("--check", action="store_true", help="only check for mkdocs")
    parser.add_argument("--timeline", metavar="FILE", help="a page made by make trace-NAME")
    parser.add_argument("--output", metavar="FOLDER", help="where to write the site")
    args = parser.parse_args()
    check_mkdocs()
    if args.check:
        return
    if not args.timeline or not args.output:
        parser.error("--timeline and --output are needed")
    site = os.path.abspath(args.output)
    work = site + ".work"
    docs = os.path.join(work, "pages")
    shutil.rmtree(work, ignore_errors=True)
    copy_pages(docs)
    add_timeline(docs, args.timeline)
    config = os.path.join(work, "mkdocs.yml")
    with open(config, "w", encoding="utf-8") as f:
        json.dump(settings(docs, os.path.join(work, "site")), f, indent=1)
    with Child([MKDOCS, "build", "--strict", "--clean", "-f", config],
               limit=LIMIT_SECONDS, merge=True) as child:
        if child.wait_for_end():
            raise ToolError("mkdocs has found mistakes:\n" + child.output.strip())
    shutil.rmtree(site, ignore_errors=True)
    os.rename(os.path.join(work, "site"), site)
    shutil.rmtree(work)
    print("%s: open index.html in a browser. The search needs a server: "
          "python3 -m http.server -d %s" % (args.output, args.output))


if __name__ == "__main__":
    run_tool(main)

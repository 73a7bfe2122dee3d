"""Common code of the tests of docs/: the pages, what they quote, and the sources that they name."""

import os
import re

from tools.run.buildtree import Tree

TREE = Tree()
FILE = r"[\w.-]+(?:/[\w.-]+)*/(?:[\w-]+\.\w+)?"  # Also a folder, with a slash at its end


def read(name):
    with open(TREE.path(name), encoding="utf-8") as f:
        return f.read()


def pages():
    """All pages of docs/, relative to the root, and the README of the project."""
    return ["README.md"] + sorted(name for name in TREE.sources()
                                  if name.startswith("docs" + os.sep) and name.endswith(".md"))


def prose(text):
    """A page without its blocks of code: fenced, or indented by four blanks after an empty line."""
    text = re.sub(r"(?ms)^( *)```.*?^\1```$", "", text)
    return re.sub(r"(?m)(?<=\n\n)(?: {4}.*\n+)+", "", text)


def code(name):
    """The text of a source file without comments."""
    return re.sub(r"//.*", "", read(name))


def body(name, function):
    """A function's definition in a file, as text; None if the file does not define it."""
    if name.endswith(".S"):
        start = r"(?:%s:|[ \t]*\.macro\s+%s\b)" % (function, function)
        end = r"(?:\s*\.size\s+%s,|\s*\.endm\b|\Z)" % function
    else:
        start, end = r"%s\(" % function, r"}"
    found = re.search(r"(?ms)^%s.*?^%s" % (start, end), code(name))
    return found and found[0]


def contains(name, quote):
    """Whether a file contains a text, as whole words and with any blanks between them."""
    if not os.path.isfile(TREE.path(name)):
        return False
    words = r"\s+".join(map(re.escape, quote.split()))
    return re.search(r"(?<!\w)%s(?!\w)" % words if quote[0] + quote[-1] else words, code(name))


def backquoted(text):
    """The texts in backquotes, with single blanks."""
    return [" ".join(quote.split()) for quote in re.findall(r"`([^`]+)`", text)]

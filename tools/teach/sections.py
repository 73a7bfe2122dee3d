"""The section files of a lab: starter/labN/common.txt and exerciseNN.txt. A file begins with a
paragraph of explanation. Then follow its sections. Each says how one place of the project differs
in a student's tree:

    @@ kern/sched.c function sched_yield
    (the text that replaces this function and the comment above it; no text removes both)

    @@ kern/env.c text
    (lines that are in the file exactly once; a line `...` stands for any lines)
    @@ becomes
    (the lines that replace them; no lines remove them)

    @@ lib/fork.c file
    (the whole file; the file may be new)

    @@ kern/upcall.c remove

`with 12 15` at the end of a head: only if these exercises are also missing in the student's tree.
A line `---- Heading ----` ends a section. From there to the next head is explanation again.
"""

import re

from tools.run.tool import ToolError

KINDS = ("function", "text", "file", "remove")
ANY_LINES = "..."


class SectionError(ToolError):
    """A section cannot be read, or does not fit the sources."""


class Section:
    """One place of the project. `old` is the name of a function or a list of lines; `new` is a
    list of lines; `also` is the set of exercises that must be missing, too."""

    def __init__(self, place, file, kind, old, new, also):
        self.place = place
        self.file = file
        self.kind = kind
        self.old = old
        self.new = new
        self.also = also

    def error(self, text):
        return SectionError("%s: %s" % (self.place, text))

    def apply(self, files):
        """Change `files`, {name: text}."""
        if self.kind == "file":
            files[self.file] = join(self.new)
            return
        if self.file not in files:
            raise self.error("there is no file %s" % self.file)
        if self.kind == "remove":
            del files[self.file]
        elif self.kind == "function":
            start, end = self._find_function(files[self.file].split("\n"))
            lines = files[self.file].split("\n")
            if not self.new and lines[end:end + 1] == [""]:
                end += 1
            files[self.file] = "\n".join(lines[:start] + self.new + lines[end:])
        else:
            files[self.file] = self._replace(files[self.file])

    def _find_function(self, lines):
        """The lines of a function with its comment, as a range (start, end)."""
        heads = [i for i, line in enumerate(lines) if line.startswith(self.old + "(")]
        if len(heads) != 1:
            raise self.error("%s has %s function %s" % (
                self.file, "more than one" if heads else "no", self.old))
        start = heads[0] - 1  # The line of the type
        while start > 0 and lines[start - 1].startswith("//"):
            start -= 1
        try:
            end = lines.index("}", heads[0]) + 1
        except ValueError:
            raise self.error("function %s does not end" % self.old) from None
        return start, end

    def _replace(self, text):
        parts = ["(?:.*\n)*?" if line == ANY_LINES else re.escape(line + "\n")
                 for line in self.old]
        found = list(re.finditer("(?m)^" + "".join(parts), text))
        if len(found) != 1:
            raise self.error("%s has this text %d times, not once:\n%s" % (
                self.file, len(found), join(self.old)))
        before, after = text[:found[0].start()], text[found[0].end():]
        if not self.new and before.endswith("\n\n") and after.startswith("\n"):
            after = after[1:]
        return before + join(self.new) + after


def join(lines):
    return "".join(line + "\n" for line in lines)


def trim(lines):
    """The lines up to a heading, without the empty lines at the start and at the end."""
    headings = [i for i, line in enumerate(lines) if line.startswith("---- ")]
    text = "\n".join(lines[:headings[0]] if headings else lines).strip("\n")
    return text.split("\n") if text else []


def parse_head(place, line):
    """(file, kind, name, also) of a line that begins a section."""
    found = re.fullmatch(r"@@ (\S+) (%s)(?: (\w+))??(?: with((?: \d+)+))?" % "|".join(KINDS), line)
    if not found or (found[2] == "function") != bool(found[3]):
        raise SectionError("%s: this is no head of a section: %s" % (place, line))
    return found[1], found[2], found[3], {int(n) for n in (found[4] or "").split()}


def parse(path, text):
    """The sections in the text of a file."""
    sections, lines = [], text.split("\n")
    heads = [i for i, line in enumerate(lines) if line.startswith("@@ ")]
    ends = heads[1:] + [len(lines)]
    blocks = [("%s:%d" % (path, i + 1), lines[i], trim(lines[i + 1:end]))
              for i, end in zip(heads, ends)]
    while blocks:
        place, head, body = blocks.pop(0)
        file, kind, name, also = parse_head(place, head)
        if kind == "text":
            if not blocks or blocks[0][1] != "@@ becomes" or not body:
                raise SectionError("%s: a text must be followed by @@ becomes" % place)
            section = Section(place, file, kind, body, blocks.pop(0)[2], also)
        else:
            section = Section(place, file, kind, name, body, also)
        sections.append(section)
    if not sections:
        raise SectionError("%s has no sections" % path)
    return sections

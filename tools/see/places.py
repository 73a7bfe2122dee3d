"""Names of places in code: an address becomes "function file:line".

The probes are inline functions, in functions that are often inline functions themselves. The line
table of an ELF file does not say who called them; addr2line, which belongs to the linker's package,
reads that from the debug information.
"""

import os
import posixpath
import re
import subprocess

from tools.run.tool import ToolError


def run_addr2line(command, elf, addresses):
    """Run addr2line -i: {address: [(function, file, line)]}, the innermost function first."""
    words = [command, "-a", "-i", "-f", "-e", elf]
    try:
        done = subprocess.run(words, input="".join("%#x\n" % a for a in addresses), check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              errors="replace")
    except OSError as e:
        raise ToolError("%s cannot be started: %s" % (command, e.strerror)) from None
    except subprocess.CalledProcessError as e:
        raise ToolError("%s failed: %s" % (command, e.stderr.strip())) from None
    found, frames, function = {}, [], None
    for line in done.stdout.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            frames = found.setdefault(int(line, 16), [])
        elif function is None:
            function = line
        else:
            file, _, number = line.split(" (discriminator")[0].rpartition(":")
            frames.append((function, file, number))
            function = None
    return found


def describe(address, frames, root):
    """The place of the innermost frame outside headers, or else of the outermost frame."""
    known = [frame for frame in frames if frame[0] != "??" or frame[1] != "??"]
    if not known:
        return "%#x" % address
    function, file, line = next((f for f in known if not f[1].endswith(".h")), known[-1])
    path = posixpath.normpath(file)
    if path.startswith(root.rstrip("/") + "/"):
        path = os.path.relpath(path, root)
    return "%s %s:%s" % (function.replace("??", "?"), path.replace("??", "?"),
                         line.replace("?", "0") or "0")


def name_places(command, elf, addresses, root):
    """The places of the addresses in an ELF file: {address: "function file:line"}."""
    if not addresses:
        return {}
    found = run_addr2line(command, elf, sorted(addresses))
    return {address: describe(address, found.get(address, []), root) for address in addresses}

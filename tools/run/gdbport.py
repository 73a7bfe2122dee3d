#!/usr/bin/env python3
"""What make and .gdbinit want to know of the port on which QEMU and GDB meet.

    gdbport.py free PORT            whether it is free: the exit status, and a message if not
    gdbport.py look ADDRESS FILE    before GDB connects to ADDRESS, localhost:PORT or the path of a
                                    Unix socket: FILE becomes a script for GDB

The script makes GDB end with a message if another tree's QEMU listens there, whose -name is the path
of that tree; such a machine goes on as it was. A qemu-system-x86_64 has the registers of a
64-bit CPU, which GDB would refuse, because it has read a 32-bit kernel: then the script describes
them as 32-bit registers, each with an upper half that is a register of its own. GDB can read them,
but not write them.

`look` speaks GDB's remote serial protocol for a few packets (GDB's manual, appendix E).
"""

import argparse
import os
import re
import socket
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT_SECONDS = 10

# The 64-bit registers whose lower halves are 32-bit registers, with the names of those.
HALVES = {"r%s" % name: "e%s" % name
          for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip")}
POINTERS = {"ebp": "data_ptr", "esp": "data_ptr", "eip": "code_ptr"}

# What GDB wants to find among the core registers of a 32-bit CPU (its manual, appendix G.5.6).
CORE = {*HALVES.values(), "eflags", *"cs ss ds es fs gs".split(),
        *("st%d" % i for i in range(8)),
        *"fctrl fstat ftag fiseg fioff foseg fooff fop".split()}


# Added to the numbers of registers: at these, QEMU has none, and ignores what GDB writes there.
NO_REGISTER = 1000


class Stub:
    """A connection to the part of QEMU that talks to GDB."""

    def __init__(self, address):
        kind = socket.AF_UNIX if "/" in address else socket.AF_INET
        self._socket = socket.socket(kind, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT_SECONDS)
        try:
            self._socket.connect(address if "/" in address
                                 else ("127.0.0.1", int(address.rpartition(":")[2])))
            self._stream = self._socket.makefile("rwb")
        except OSError:
            self._socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._socket.close()

    def ask(self, text):
        """Send a packet; return the answer's contents."""
        data = text.encode()
        self._stream.write(b"$%s#%02x" % (data, sum(data) % 256))
        self._stream.flush()
        return self._answer()

    def _answer(self):
        """The next packet that is not the news that a running machine was stopped: by us."""
        while True:
            packet = self._packet()
            if not re.match(rb"[TS][0-9a-f]{2}", packet):
                return packet

    def _packet(self):
        while self._byte() != b"$":
            pass
        data = b""
        while not data.endswith(b"#"):
            data += self._byte()
        self._stream.read(2)
        self._stream.write(b"+")
        self._stream.flush()
        return self._unescape(data[:-1])

    def _byte(self):
        byte = self._stream.read(1)
        if not byte:
            raise OSError("the connection was closed")
        return byte

    @staticmethod
    def _unescape(data):
        """Undo the protocol's escapes, and its shorthand for a byte that is repeated."""
        data = re.sub(rb"(?s)(?<!\})(.)\*(.)", lambda m: m[1] * (m[2][0] - 28), data)
        return re.sub(rb"(?s)\}(.)", lambda m: bytes([m[1][0] ^ 0x20]), data)

    def monitor(self, command):
        """What QEMU's monitor prints for a command."""
        printed = b""
        answer = self.ask("qRcmd," + command.encode().hex())
        while answer.startswith(b"O") and answer != b"OK":
            printed += bytes.fromhex(answer[1:].decode())
            answer = self._answer()
        return printed.decode("utf-8", "replace").strip()

    def description(self, file="target.xml"):
        """QEMU's XML description of the registers, with the files that it includes."""
        data, more = b"", True
        while more:
            answer = self.ask("qXfer:features:read:%s:%x,7f0" % (file, len(data)))
            data += answer[1:]
            more = answer.startswith(b"m")
        text = re.sub(r"(?s)<!--.*?-->", "", data.decode())
        return re.sub(r'<xi:include\s+href="([^"]*)"\s*/>',
                      lambda include: self.description(include[1]), text)


def registers(stub):
    """(number, name, bits, type) of every register, in the order of their numbers."""
    found, number = [], 0
    for tag in re.findall(r"<reg\s[^>]*>", stub.description()):
        register = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        number = int(register.get("regnum", number))
        found.append((number, register["name"], int(register["bitsize"]),
                      register.get("type", "int")))
        number += 1
    return sorted(found)


def halved(found):
    """The same bytes as registers of a 32-bit CPU: (name, bits, type), in order."""
    for _, name, bits, kind in found:
        if name in HALVES and bits == 64:
            lower = HALVES[name]
            yield lower, 32, POINTERS.get(lower, "int32")
            yield name + "_upper", 32, "int32"
        elif bits > 80:
            yield name, bits, "uint%d" % bits
        else:
            yield name, bits, kind if kind in ("i387_ext", "int") else "uint%d" % bits


def describe(found):
    """A description of a 32-bit CPU, in XML, with registers that QEMU sends as 64-bit ones."""
    features = {True: [], False: []}
    for number, (name, bits, kind) in enumerate(halved(found)):
        features[name in CORE].append('<reg name="%s" bitsize="%d" type="%s" regnum="%d"/>'
                                      % (name, bits, kind, NO_REGISTER + number))
    return "\n".join([
        '<?xml version="1.0"?>', '<!DOCTYPE target SYSTEM "gdb-target.dtd">', "<target>",
        "<architecture>i386</architecture>",
        '<feature name="org.gnu.gdb.i386.core">', *features[True], "</feature>",
        '<feature name="jos.rest">', *features[False], "</feature>", "</target>", ""])


def refuse_stranger(stub):
    """GDB's commands if the machine is another tree's, else none. Such a machine goes on. One
    without a name was not started by make, and may be anyone's."""
    theirs = stub.monitor("info name")
    if theirs in ("", os.path.realpath(ROOT)):
        return []
    if "prelaunch" not in stub.monitor("info status"):
        stub.ask("D")
    return say("Not attached: the machine on this port belongs to " + theirs,
               "make GDBPORT=n ... takes another port, for QEMU and for GDB alike.") + ["quit 1"]


def say(*lines):
    """GDB's commands to print lines."""
    return ["echo *** %s\\n" % line.replace("\\", "\\\\") for line in lines]


def use_lower_halves(stub, path):
    """GDB's commands if the registers are those of a 64-bit CPU, else none."""
    found = registers(stub)
    if not any(name == "rax" for _, name, _, _ in found):
        return []
    with open(path, "w", encoding="utf-8") as f:
        f.write(describe(found))
    return [*say("With qemu-system-x86_64 GDB cannot change registers."), "set tdesc filename " + path,
            "set remote fetch-register-packet off", "set remote set-register-packet on"]


def look(address, output):
    """Write the script."""
    commands = []
    try:
        with Stub(address) as stub:
            commands = refuse_stranger(stub) or use_lower_halves(stub, output + ".xml")
    except (ConnectionRefusedError, FileNotFoundError):
        commands = say("No machine waits for GDB at %s." % address,
                       "Run make qemu-nox-gdb first, in another window.")
    except (OSError, ValueError, KeyError) as e:
        print("gdbport: the machine cannot be asked: %s" % e, file=sys.stderr)
    with open(output, "w", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in commands)


def check_free(port):
    """End with a message if the port cannot be listened at."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(port)))
        except OSError as e:
            sys.exit("GDB's port %s: %s. Does another machine of this folder run? "
                     "Otherwise GDBPORT=n takes another port." % (port, os.strerror(e.errno)))
        except (OverflowError, ValueError):
            sys.exit("GDBPORT=%s: a port is a number from 1 to 65535." % port)


def main():
    parser = argparse.ArgumentParser(description="Look at GDB's port.")
    actions = parser.add_subparsers(dest="action", metavar="free|look")
    actions.required = True
    free = actions.add_parser("free")
    free.add_argument("port")
    looking = actions.add_parser("look")
    looking.add_argument("address")
    looking.add_argument("output", metavar="FILE")
    args = parser.parse_args()
    if args.action == "free":
        check_free(args.port)
    else:
        look(args.address, args.output)


if __name__ == "__main__":
    main()

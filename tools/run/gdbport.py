#!/usr/bin/env python3
"""Check the TCP port that connects GDB to QEMU, for make and .gdbinit.

    gdbport.py free PORT             exit status 0 if the port is free; otherwise print a message
    gdbport.py check ADDRESS FILE    before GDB connects: write a script for GDB to FILE. ADDRESS is
                                     localhost:PORT, or the path of a Unix socket

The script handles two cases:

- The QEMU at that address runs the kernel of another checkout (its -name is the path of its
  checkout). The script prints a message and ends GDB. That QEMU continues to run.
- The QEMU is qemu-system-x86_64. It has 64-bit registers, which GDB rejects, because our kernel is
  32-bit code. The script describes each 64-bit register as two 32-bit ones, the lower and the upper
  half. GDB can read these registers, but not write them.

`check` uses GDB's remote serial protocol (GDB's manual, appendix E).
"""

import argparse
import os
import re
import socket
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT_SECONDS = 10

# {64-bit register: the 32-bit register that is its lower half}
HALVES = {"r%s" % name: "e%s" % name
          for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip")}
POINTERS = {"ebp": "data_ptr", "esp": "data_ptr", "eip": "code_ptr"}

# The core registers that GDB requires of a 32-bit CPU (its manual, appendix G.5.6).
CORE = {*HALVES.values(), "eflags", *"cs ss ds es fs gs".split(),
        *("st%d" % i for i in range(8)),
        *"fctrl fstat ftag fiseg fioff foseg fooff fop".split()}

# Added to the register numbers in our description. QEMU has no registers with these numbers, and
# ignores writes to them.
UNUSED_NUMBER = 1000


class Stub:
    """A connection to QEMU's GDB stub."""

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

    def request(self, text):
        """Send a packet; return the contents of the answer."""
        self._send(text)
        return self._answer()

    def _send(self, text):
        data = text.encode()
        self._stream.write(b"$%s#%02x" % (data, sum(data) % 256))
        self._stream.flush()

    def _answer(self):
        """The next packet, except stop replies: QEMU stops the machine when we connect."""
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
        """Decode the protocol's run-length encoding and its escaped bytes."""
        data = re.sub(rb"(?s)(?<!\})(.)\*(.)", lambda m: m[1] * (m[2][0] - 28), data)
        return re.sub(rb"(?s)\}(.)", lambda m: bytes([m[1][0] ^ 0x20]), data)

    def monitor(self, command):
        """Run a command of QEMU's monitor; return what it prints."""
        printed = b""
        answer = self.request("qRcmd," + command.encode().hex())
        while answer.startswith(b"O") and answer != b"OK":
            printed += bytes.fromhex(answer[1:].decode())
            answer = self._answer()
        return printed.decode("utf-8", "replace").strip()

    def description(self, file="target.xml"):
        """QEMU's XML description of the registers, including nested files."""
        data, more = b"", True
        while more:
            answer = self.request("qXfer:features:read:%s:%x,7f0" % (file, len(data)))
            data += answer[1:]
            more = answer.startswith(b"m")
        text = re.sub(r"(?s)<!--.*?-->", "", data.decode())
        return re.sub(r'<xi:include\s+href="([^"]*)"\s*/>',
                      lambda include: self.description(include[1]), text)


def registers(stub):
    """[(number, name, bits, type)] of all registers, sorted by number."""
    found, number = [], 0
    for tag in re.findall(r"<reg\s[^>]*>", stub.description()):
        register = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        number = int(register.get("regnum", number))
        found.append((number, register["name"], int(register["bitsize"]),
                      register.get("type", "int")))
        number += 1
    return sorted(found)


def split_registers(found):
    """The same bytes as registers of a 32-bit CPU: yields (name, bits, type), in order."""
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
    """An XML description of the registers of a 64-bit CPU as those of a 32-bit CPU."""
    features = {True: [], False: []}
    for number, (name, bits, kind) in enumerate(split_registers(found)):
        features[name in CORE].append('<reg name="%s" bitsize="%d" type="%s" regnum="%d"/>'
                                      % (name, bits, kind, UNUSED_NUMBER + number))
    return "\n".join([
        '<?xml version="1.0"?>', '<!DOCTYPE target SYSTEM "gdb-target.dtd">', "<target>",
        "<architecture>i386</architecture>",
        '<feature name="org.gnu.gdb.i386.core">', *features[True], "</feature>",
        '<feature name="jos.rest">', *features[False], "</feature>", "</target>", ""])


def refuse_other_checkout(stub):
    """GDB commands that end GDB if the machine belongs to another checkout; otherwise []. Such a
    machine continues to run. A machine without a name, which make did not start, is accepted."""
    checkout = stub.monitor("info name")
    if checkout in ("", os.path.realpath(ROOT)):
        return []
    if "prelaunch" not in stub.monitor("info status"):
        stub.request("D")
    return echo("Not attached: the machine on this port belongs to " + checkout,
                "make GDBPORT=n ... uses another port, for QEMU and for GDB.") + ["quit 1"]


def echo(*lines):
    """GDB commands that print lines."""
    return ["echo *** %s\\n" % line.replace("\\", "\\\\") for line in lines]


def describe_64_bit(stub, path):
    """GDB commands that load a description of the registers, written to `path`, if the CPU has 64
    bits; otherwise []."""
    found = registers(stub)
    if not any(name == "rax" for _, name, _, _ in found):
        return []
    with open(path, "w", encoding="utf-8") as f:
        f.write(describe(found))
    return [*echo("With qemu-system-x86_64 GDB cannot change registers."),
            "set tdesc filename " + path,
            "set remote fetch-register-packet off", "set remote set-register-packet on"]


def check(address, output):
    """Write the script for GDB to the file `output`."""
    commands = []
    try:
        with Stub(address) as stub:
            commands = refuse_other_checkout(stub) or describe_64_bit(stub, output + ".xml")
    except (ConnectionRefusedError, FileNotFoundError):
        commands = echo("No machine waits for GDB at %s." % address,
                        "Run make qemu-nox-gdb first, in another window.")
    except (OSError, ValueError, KeyError) as e:
        print("gdbport: cannot query the machine: %s" % e, file=sys.stderr)
    with open(output, "w", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in commands)


def check_free(port):
    """Exit with a message if it is not possible to listen on the port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(port)))
        except OSError as e:
            sys.exit("GDB's port %s: %s. Is another machine of this folder running? "
                     "If not, choose another port with GDBPORT=n." % (port, os.strerror(e.errno)))
        except (OverflowError, ValueError):
            sys.exit("GDBPORT=%s: a port is a number from 1 to 65535." % port)


def main():
    parser = argparse.ArgumentParser(description="Check the port that connects GDB to QEMU.")
    actions = parser.add_subparsers(dest="action", metavar="free|check")
    actions.required = True
    free_parser = actions.add_parser("free")
    free_parser.add_argument("port")
    check_parser = actions.add_parser("check")
    check_parser.add_argument("address")
    check_parser.add_argument("output", metavar="FILE")
    args = parser.parse_args()
    if args.action == "free":
        check_free(args.port)
    else:
        check(args.address, args.output)


if __name__ == "__main__":
    main()

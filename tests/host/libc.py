"""The parts of lib/ that need no kernel, as a shared library for the host.

string.c, printfmt.c, div64.c, readline.c and complete.c are compiled with the prefix jos_ before
all names, and linked with libc_stubs.c. Each test loads a copy of the library of its own. Tests use
random cases: the seed is printed, and JOS_TEST_SEED=n runs the same cases again.
"""

import atexit
import ctypes
import faulthandler
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ["string", "printfmt", "div64", "readline", "complete"]
SEED = int(os.environ.get("JOS_TEST_SEED", random.SystemRandom().randrange(1 << 32)))

HOST_LIBC = ctypes.CDLL(None)

_lock = threading.Lock()  # Tests in several threads may want the library first.
_library = None


def run(*command):
    """Run a command. RuntimeError with its output if it fails."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    if done.returncode:
        raise RuntimeError("%s failed:\n%s" % (command[0], done.stdout))


def build():
    """Build the library in a temporary folder. Returns its path."""
    faulthandler.enable()  # If the library crashes, Python names the test.
    directory = tempfile.mkdtemp(prefix="jos-libc-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    compiler = os.environ.get("HOST_CC", "gcc")
    objects = []
    for name in SOURCES:
        objects.append(os.path.join(directory, name + ".o"))
        run(compiler, "-O2", "-fPIC", "-fno-stack-protector", "-ffreestanding", "-fno-builtin",
            "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error", "-Wall", "-Wextra",
            "-Werror", "-I.", "-DJOS_HOST_TEST", "-c", "-o", objects[-1], "lib/%s.c" % name)
        run("objcopy", "--prefix-symbols=jos_", objects[-1])
    library = os.path.join(directory, "libjos.so")
    run(compiler, "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-o", library,
        "tests/host/libc_stubs.c", *objects)
    print("tests/host/libc.py: JOS_TEST_SEED=%d" % SEED, file=sys.stderr)
    return library


def load():
    """A new copy of the library: its variables have their initial values."""
    global _library
    with _lock:
        if _library is None:
            _library = build()
    handle, path = tempfile.mkstemp(suffix=".so", dir=os.path.dirname(_library))
    os.close(handle)
    shutil.copy(_library, path)
    return ctypes.CDLL(path)


class LibraryTest(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.jos = load()

    def function(self, name, restype, *argtypes):
        """A function of the library, with the types of its result and arguments."""
        found = getattr(self.jos, "jos_" + name)
        found.restype = restype
        found.argtypes = argtypes
        return found

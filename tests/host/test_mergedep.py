"""mergedep.pl, by what make does with the file it writes."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class MergedepTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="jos-")
        self.addCleanup(shutil.rmtree, self.dir)
        os.makedirs(os.path.join(self.dir, "obj/kern"))
        self.write("init.c", "")
        self.write("pmap.h", "")
        self.write("GNUmakefile", "obj/kern/%.o: %.c\n\t@echo compiled $<; touch $@\n"
                                  "obj/kern/%.o: %.S\n\t@echo assembled $<; touch $@\n"
                                  "-include obj/.deps\n")
        self.write("obj/kern/init.d", "obj/kern/init.o: init.c \\\n pmap.h  \\\n  my\\ own.h\n")
        self.write("my own.h", "")

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def merge(self, *inputs):
        return subprocess.run([os.path.join(ROOT, "mergedep.pl"), "obj/.deps",
                               *(inputs or ["obj/kern/init.d"])], cwd=self.dir, check=True)

    def make(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        done = subprocess.run(["make", "obj/kern/init.o"], cwd=self.dir, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        return done.stdout

    def set_age(self, name, hours):
        path = os.path.join(self.dir, name)
        then = time.time() - hours * 3600
        os.utime(path, (then, then))

    def test_changed_header_compiles_again(self):
        self.merge()
        self.assertEqual(self.make(), "compiled init.c\n")
        for header in ("pmap.h", "my own.h"):
            with self.subTest(header=header):
                for name in ("init.c", "pmap.h", "my own.h"):
                    self.set_age(name, hours=2)
                self.set_age("obj/kern/init.o", hours=1)
                self.assertIn("up to date", self.make())
                self.set_age(header, hours=0)
                self.assertEqual(self.make(), "compiled init.c\n")

    def test_vanished_header_compiles_again(self):
        self.merge()
        self.make()
        os.remove(os.path.join(self.dir, "pmap.h"))
        self.assertEqual(self.make(), "compiled init.c\n")

    def test_vanished_source_is_forgotten(self):
        os.rename(os.path.join(self.dir, "init.c"), os.path.join(self.dir, "init.S"))
        self.merge()
        self.assertEqual(self.make(), "assembled init.S\n")

    def test_unchanged_output_is_not_written(self):
        self.merge()
        path = os.path.join(self.dir, "obj/.deps")
        before = os.stat(path)
        self.merge()
        self.assertEqual(os.stat(path).st_mtime_ns, before.st_mtime_ns)
        self.assertEqual(os.stat(path).st_ino, before.st_ino)
        self.write("obj/kern/init.d", "obj/kern/init.o: init.c\n")
        self.merge()
        with open(path, encoding="utf-8") as f:
            self.assertEqual(f.read(), "obj/kern/init.o: init.c\n")

    def test_nothing_to_merge(self):
        shutil.rmtree(os.path.join(self.dir, "obj"))
        self.merge("obj/*/*.d")
        self.assertFalse(os.path.exists(os.path.join(self.dir, "obj")))


if __name__ == "__main__":
    unittest.main()

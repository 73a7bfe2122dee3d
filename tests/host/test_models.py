"""The models in models/ hold, and each of their mutations is caught by spin."""

import os
import shutil
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import models  # noqa: E402, pylint: disable=wrong-import-position


@unittest.skipUnless(shutil.which("spin"), "spin is not installed")
class ModelsTest(unittest.TestCase):
    slow = True

    def check(self, model):
        for run in models.runs_of(model):
            with self.subTest(run=run.name):
                try:
                    run.check()
                except models.ModelError as e:
                    self.fail(str(e))

    def test_lock(self):
        self.check("lock")

    def test_idle(self):
        self.check("idle")

    def test_tlb(self):
        self.check("tlb")

    def test_none_is_forgotten(self):
        self.assertEqual(models.all_models(), ["idle", "lock", "tlb"])


if __name__ == "__main__":
    unittest.main()

"""The models in models/ hold, and each of their mutations is caught by spin."""

import shutil
import unittest

from tools.check import models


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

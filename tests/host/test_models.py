"""spin finds no error in the models in models/, and one in each of their mutations."""

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

    def test_every_model_has_a_test(self):
        self.assertEqual(models.all_models(), ["idle", "lock", "tlb"])


if __name__ == "__main__":
    unittest.main()

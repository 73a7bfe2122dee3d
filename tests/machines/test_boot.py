"""The ways to boot, and the messages when booting fails."""

import os
import struct

from tests.support import Q35_WITH_IDE, TREE, KernelTest, run_gdb
from tools.build.elffile import read_elf
from tools.build.mkimage import SECTOR
from tools.run.tool import make_folder, remove_folder

YIELDS = ["Hello, I am environment 00001000.", "Back in environment 00001000, iteration 4.",
          "All done in environment 00001000.", "Hello, I am environment 00001001.",
          "Back in environment 00001001, iteration 4.", "All done in environment 00001001.",
          "No runnable environments in the system!", "Welcome to the JOS kernel monitor!",
          "Type 'help' for a list of commands."]

# Offsets: of e_phoff in the ELF header, and of p_pa in a program header.
E_PHOFF, P_PA = 28, 12


class BootTest(KernelTest):
    def assert_comes_up(self, machine):
        self.assert_lines(machine.run_to_prompt(), YIELDS, no=[".*panic.*"])

    def image_file(self, image):
        """Write an image to a file. Returns its path, quoted for QEMU's -drive."""
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        path = os.path.join(folder, "disk.img")
        with open(path, "wb") as f:
            f.write(image)
        return path.replace(",", ",,")

    # ---- Ways to boot ----

    def test_first_lines_of_output(self):
        self.assert_in_order(self.run_kernel("yield"), [
            "6828 decimal is 15254 octal!",
            r"Physical memory: \d+K available, base = 639K, extended = \d+K",
            r"check_page_free_list\(\) succeeded!",
            r"check_page_alloc\(\) succeeded!",
            r"check_page\(\) succeeded!",
            r"check_kern_pgdir\(\) succeeded!",
            r"check_page_free_list\(\) succeeded!",
            r"check_page_installed_pgdir\(\) succeeded!",
            r"SMP: CPU 0 found 1 CPU\(s\)",
            "enabled interrupts: 1 2",
            r"\[00000000\] new env 00001000",
            "Hello, I am environment 00001000.",
            "No runnable environments in the system!",
            "Welcome to the JOS kernel monitor!",
            "Type 'help' for a list of commands.",
            "K> "])

    def test_disk_image_boots(self):
        self.assert_comes_up(self.boot("yield yield", cpus=2))

    def test_disk_image_made_by_make_boots(self):
        output = self.start(disk=TREE.read_obj("kern", "kernel.img")).run_to_prompt()
        self.assert_lines(output, [r"All done in environment 0000100%d\." % i for i in range(3)])

    def test_qemu_loads_the_kernel(self):
        self.assert_comes_up(self.start(
            args=["-kernel", TREE.obj("kern", "kernel"), "-append", "yield yield"], cpus=2))

    def test_qemu_loads_the_kernel_without_a_command_line(self):
        output = self.start(args=["-kernel", TREE.obj("kern", "kernel")]).run_to_prompt()
        self.assert_lines(output, ["No runnable environments in the system!"],
                          no=[".*panic.*", ".*no program.*"])

    def test_grub_boots_the_iso(self):
        TREE.make("-s", "iso")
        machine = self.start(args=["-cdrom", TREE.obj("jos.iso"), "-boot", "d"], cpus=2)
        output = machine.run_to_prompt()
        self.assert_lines(output, [r"All done in environment 00001000\."], no=[".*panic.*"])

    def test_q35_boots(self):
        self.assert_comes_up(self.boot("yield yield", cpus=2, **Q35_WITH_IDE))

    def test_cpu_with_all_features_boots(self):
        self.assert_comes_up(self.boot("yield yield", args=["-cpu", "max"], cpus=2))

    def test_old_cpu_with_large_pages_boots(self):
        output = self.boot("yield yield", args=["-cpu", "pentium2"]).run_to_prompt()
        self.assert_lines(output, YIELDS)

    def test_cpu_without_large_pages_is_refused(self):
        machine = self.boot("yield", args=["-cpu", "qemu32,-pse"])
        machine.wait_for_screen("this CPU is too old")

    def test_other_loader_is_refused(self):
        machine = self.boot("yield", gdb=True)
        run_gdb(machine, "hbreak *0x%x" % read_elf(self.kernel()).entry, "continue",
                "set $eax = 0", "detach")
        machine.wait_for_screen("not started by a Multiboot loader")

    # ---- Errors of the boot sector ----

    def assert_boot_fails(self, text, **options):
        self.start(**options).wait_for_screen(text)

    def patched_kernel(self, changes):
        """The disk image with 32-bit words of the kernel's file changed: {offset: value}."""
        image = bytearray(TREE.disk_image("yield"))
        for offset, value in changes.items():
            struct.pack_into("<I", image, 2 * SECTOR + offset, value)
        return bytes(image)

    def first_segment(self):
        image = TREE.disk_image("yield")
        return struct.unpack_from("<I", image, 2 * SECTOR + E_PHOFF)[0]

    def test_boot_sector_fits(self):
        sector = TREE.read_obj("kern", "kernel.img")[:SECTOR]
        self.assertEqual(sector[510:], b"\x55\xaa")
        self.assertLess(len(TREE.read_obj("boot", "boot").rstrip(b"\0")), SECTOR + 1)

    def test_missing_ide_disk_is_reported(self):
        path = self.image_file(TREE.disk_image("yield"))
        self.assert_boot_fails("disk error", args=[
            "-drive", "file=%s,if=floppy,format=raw" % path, "-boot", "a"])

    def test_missing_ide_controller_is_reported(self):
        path = self.image_file(TREE.disk_image("yield"))
        self.assert_boot_fails("disk error", args=[
            "-machine", "q35", "-drive", "file=%s,format=raw" % path])

    def test_truncated_disk_is_reported(self):
        image = TREE.disk_image("yield")
        end = len(image.rstrip(b"\0"))
        self.assert_boot_fails("disk error", disk=image[:end // 2 // SECTOR * SECTOR])

    def test_disk_of_one_sector_is_reported(self):
        self.assert_boot_fails("disk error", disk=TREE.disk_image("yield")[:SECTOR])

    def test_file_that_is_not_an_elf_is_reported(self):
        self.assert_boot_fails("not an ELF", disk=self.patched_kernel({0: 0x12345678}))

    def test_segment_without_memory_is_reported(self):
        for address in (0x40000000, 0xfff00000, 0xa0000, 128 << 20):
            with self.subTest(address=hex(address)):
                self.assert_boot_fails("no memory", disk=self.patched_kernel(
                    {self.first_segment() + P_PA: address}))

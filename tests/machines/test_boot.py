"""The ways to come up, and what is said when it cannot be done."""

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

# Where in an ELF header the first program header is, and where in that the physical address.
E_PHOFF, P_PA = 28, 12


class BootTest(KernelTest):
    def assert_comes_up(self, machine):
        self.assert_lines(machine.run_to_prompt(), YIELDS, no=[".*panic.*"])

    def image_file(self, image):
        """A file with an image in it, as QEMU's -drive takes its name."""
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        path = os.path.join(folder, "disk.img")
        with open(path, "wb") as f:
            f.write(image)
        return path.replace(",", ",,")

    # ---- The ways ----

    def test_first_lines(self):
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

    def test_disk_image(self):
        self.assert_comes_up(self.boot("yield yield", cpus=2))

    def test_disk_image_as_make_made_it(self):
        output = self.start(disk=TREE.read_obj("kern", "kernel.img")).run_to_prompt()
        self.assert_lines(output, [r"All done in environment 0000100%d\." % i for i in range(3)])

    def test_qemus_own_loader(self):
        self.assert_comes_up(self.start(
            args=["-kernel", TREE.obj("kern", "kernel"), "-append", "yield yield"], cpus=2))

    def test_qemus_own_loader_without_a_command_line(self):
        output = self.start(args=["-kernel", TREE.obj("kern", "kernel")]).run_to_prompt()
        self.assert_lines(output, ["No runnable environments in the system!"],
                          no=[".*panic.*", ".*no program.*"])

    def test_grub_iso(self):
        TREE.make("-s", "iso")
        machine = self.start(args=["-cdrom", TREE.obj("jos.iso"), "-boot", "d"], cpus=2)
        output = machine.run_to_prompt()
        self.assert_lines(output, [r"All done in environment 00001000\."], no=[".*panic.*"])

    def test_q35(self):
        self.assert_comes_up(self.boot("yield yield", cpus=2, **Q35_WITH_IDE))

    def test_newest_cpu(self):
        self.assert_comes_up(self.boot("yield yield", args=["-cpu", "max"], cpus=2))

    def test_oldest_cpu_that_has_large_pages(self):
        output = self.boot("yield yield", args=["-cpu", "pentium2"]).run_to_prompt()
        self.assert_lines(output, YIELDS)

    def test_cpu_that_is_too_old(self):
        machine = self.boot("yield", args=["-cpu", "qemu32,-pse"])
        machine.wait_for_screen("this CPU is too old")

    def test_not_started_by_a_multiboot_loader(self):
        machine = self.boot("yield", gdb=True)
        run_gdb(machine, "hbreak *0x%x" % read_elf(self.kernel()).entry, "continue",
                "set $eax = 0", "detach")
        machine.wait_for_screen("not started by a Multiboot loader")

    # ---- What the boot sector says ----

    def assert_boot_fails(self, text, **options):
        self.start(**options).wait_for_screen(text)

    def patched_kernel(self, changes):
        """The disk image with 32-bit words at offsets of the kernel's file changed."""
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

    def test_no_ide_disk(self):
        path = self.image_file(TREE.disk_image("yield"))
        self.assert_boot_fails("disk error", args=[
            "-drive", "file=%s,if=floppy,format=raw" % path, "-boot", "a"])

    def test_no_ide_controller(self):
        path = self.image_file(TREE.disk_image("yield"))
        self.assert_boot_fails("disk error", args=[
            "-machine", "q35", "-drive", "file=%s,format=raw" % path])

    def test_disk_that_ends_too_early(self):
        image = TREE.disk_image("yield")
        end = len(image.rstrip(b"\0"))
        self.assert_boot_fails("disk error", disk=image[:end // 2 // SECTOR * SECTOR])

    def test_disk_of_one_sector(self):
        self.assert_boot_fails("disk error", disk=TREE.disk_image("yield")[:SECTOR])

    def test_not_an_elf(self):
        self.assert_boot_fails("not an ELF", disk=self.patched_kernel({0: 0x12345678}))

    def test_segment_where_there_is_no_memory(self):
        for address in (0x40000000, 0xfff00000, 0xa0000, 128 << 20):
            with self.subTest(address=hex(address)):
                self.assert_boot_fails("no memory", disk=self.patched_kernel(
                    {self.first_segment() + P_PA: address}))

#!/usr/bin/env python3
"""Make a disk image of the boot sector, the kernel's command line and the kernel.

The boot sector is too small to check the kernel's file, so this tool does it: make_image refuses a
kernel that the boot sector cannot load. At boot, only disk errors and too little memory remain
possible. The layout of the disk comes from boot/boot.h.

    mkimage.py [--cmdline TEXT] -o IMAGE BOOT KERNEL
    mkimage.py --check-boot BOOT
"""

import argparse
import collections
import os
import re
import struct
import sys
import tempfile

BOOT_H = os.path.abspath(__file__ + "/../../../boot/boot.h")

SIGNATURE = b"\x55\xaa"
DEFAULT_CMDLINE = "yield yield yield"

# The size of the image must be a multiple of this: without a given geometry, emulators assume
# cylinders of 16 heads with 63 sectors each.
CYLINDER = 512 * 16 * 63

LOWEST, HIGHEST = 0x100000, 0x10000000  # Physical addresses that the kernel may occupy

ELF_HEADER = struct.Struct("<4sBBB9xHHIIIIIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIIIIIII")
PT_LOAD = 1

Segment = collections.namedtuple("Segment", "offset pa filesz memsz")


class ImageError(Exception):
    """The image cannot be made. The text says why."""


def read_layout():
    """Return the BOOT_ constants of boot/boot.h: {name: number}."""
    with open(BOOT_H, encoding="ascii") as header:
        found = re.findall(r"^#define\s+(BOOT_\w+)\s+(0x[0-9A-Fa-f]+|\d+)\b", header.read(), re.M)
    return {name: int(number, 0) for name, number in found}


LAYOUT = read_layout()
SECTOR = LAYOUT["BOOT_SECTSIZE"]
BLOCK = LAYOUT["BOOT_BLOCK"] * SECTOR


def require(condition, message):
    """Raise ImageError unless condition holds."""
    if not condition:
        raise ImageError(message)


def check_boot(boot):
    """Check that the boot sector's code leaves room for the signature."""
    limit = LAYOUT["BOOT_CODE_MAX"]
    require(boot, "the boot sector is empty")
    require(len(boot) <= limit,
            f"the boot sector has {len(boot)} bytes; the limit is {limit}")


def check_cmdline(cmdline):
    """Check the command line; return it as bytes."""
    require(all(" " <= character <= "~" for character in cmdline),
            f"the command line may contain only printable ASCII: {cmdline!r}")
    require(len(cmdline) < SECTOR,
            f"the command line has {len(cmdline)} characters; the limit is {SECTOR - 1}")
    return cmdline.encode("ascii")


def parse_segments(kernel):
    """Check the ELF header; return the entry point and the segments to load, in file order."""
    require(kernel[:4] == b"\x7fELF", "the kernel is not an ELF file")
    require(len(kernel) >= ELF_HEADER.size, "the kernel's ELF header is cut off")
    (_, bits, data, _, kind, machine, _, entry, phoff, _, _, _, phentsize, phnum, _, _,
     _) = ELF_HEADER.unpack_from(kernel)
    require((bits, data, machine) == (1, 1, 3), "the kernel is not a 32-bit Intel (i386) ELF file")
    require(kind == 2, "the kernel is not linked as an executable at fixed addresses")
    require(phentsize == PROGRAM_HEADER.size and phnum > 0,
            f"the kernel has {phnum} program headers of {phentsize} bytes; "
            f"at least 1 is needed, of {PROGRAM_HEADER.size} bytes")
    end = phoff + phnum * phentsize
    require(end <= LAYOUT["BOOT_HEADERS"],
            f"the kernel's program headers end at byte {end} of the file; the boot sector reads "
            f"only {LAYOUT['BOOT_HEADERS']} bytes")
    require(end <= len(kernel), "the kernel's program headers are cut off")

    segments = []
    for number in range(phnum):
        kind, offset, _, pa, filesz, memsz, _, _ = PROGRAM_HEADER.unpack_from(
            kernel, phoff + number * phentsize)
        if kind == PT_LOAD:
            segments.append(Segment(offset, pa, filesz, memsz))
    return entry, segments


def describe(segment):
    """Return the name of a segment for messages."""
    return f"the kernel's segment at physical {segment.pa:#x}, size {segment.memsz:#x}"


def check_segment(kernel, segment):
    """Check that the whole segment is in the file, and that its addresses are allowed."""
    offset, pa, filesz, memsz = segment
    require(offset + filesz <= len(kernel), f"{describe(segment)}, is cut off in the file")
    require(filesz <= memsz, f"{describe(segment)}, has more bytes in the file: {filesz:#x}")
    require(LOWEST <= pa - offset % SECTOR and pa + memsz <= HIGHEST,
            f"{describe(segment)}, with the {offset % SECTOR} bytes before it in its disk "
            f"sector, is not between {LOWEST:#x} and {HIGHEST:#x}; the boot sector loads to "
            "p_paddr, not to p_vaddr")


def loaded_bytes(kernel, segment, low, high):
    """Return the segment's bytes that belong at physical addresses low to high."""
    image = kernel[segment.offset:segment.offset + segment.filesz]
    return image[low - segment.pa:high - segment.pa].ljust(high - low, b"\0")


def check_not_overwritten(kernel, earlier, later):
    """Check that loading `later` does not change `earlier`.

    The boot sector reads whole blocks, from the start of a sector on, so it also writes to memory
    around the segment.
    """
    require(earlier.pa + earlier.memsz <= later.pa or later.pa + later.memsz <= earlier.pa,
            f"{describe(later)}, overlaps the segment at {earlier.pa:#x}")
    skip = later.offset % SECTOR
    start = later.pa - skip
    length = max(-(-(skip + later.filesz) // BLOCK), 1) * BLOCK
    low = max(start, earlier.pa)
    high = min(start + length, earlier.pa + earlier.memsz)
    if low >= high:
        return
    at = later.offset - skip + low - start
    written = kernel[at:at + high - low].ljust(high - low, b"\0")
    require(written == loaded_bytes(kernel, earlier, low, high),
            f"{describe(later)}, is read in whole disk blocks, which overwrite the segment at "
            f"{earlier.pa:#x}: sort segments by address, and align them in memory to {SECTOR}")


def check_kernel(kernel):
    """Check that the boot sector can load and enter the kernel."""
    entry, segments = parse_segments(kernel)
    require(segments, "the kernel has no segment to load")
    for number, later in enumerate(segments):
        check_segment(kernel, later)
        for earlier in segments[:number]:
            check_not_overwritten(kernel, earlier, later)
    require(any(segment.pa <= entry < segment.pa + segment.filesz for segment in segments),
            f"the kernel's entry point {entry:#x} is not a physical address in a loaded segment")


def make_image(boot, kernel, cmdline=DEFAULT_CMDLINE):
    """Return a disk image as bytes.

    boot: the boot sector without its signature, bytes; kernel: an ELF file, bytes; cmdline: a
    string. Raises ImageError if a check fails.
    """
    check_boot(boot)
    check_kernel(kernel)
    text = check_cmdline(cmdline)
    head = boot.ljust(LAYOUT["BOOT_CODE_MAX"], b"\0") + SIGNATURE
    head = head.ljust(LAYOUT["BOOT_CMDLINE_LBA"] * SECTOR, b"\0") + text
    image = head.ljust(LAYOUT["BOOT_KERNEL_LBA"] * SECTOR, b"\0") + kernel
    # The last block that the boot sector reads may begin at the kernel's last byte.
    cylinders = -(-(len(image) + BLOCK) // CYLINDER)
    return image.ljust(cylinders * CYLINDER, b"\0")


def write_image(path, image):
    """Replace the file at path atomically. The zeros at its end take no space on the disk.

    A process that has the old file open keeps it, and no process sees a half-written file.
    """
    descriptor, temporary = tempfile.mkstemp(
        prefix=os.path.basename(path) + ".", dir=os.path.dirname(path) or ".")
    try:
        with os.fdopen(descriptor, "wb") as output:
            output.write(image.rstrip(b"\0"))
            output.truncate(len(image))
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_file(path):
    """Return the bytes of a file."""
    with open(path, "rb") as source:
        return source.read()


def parse_arguments():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Make a disk image of a boot sector, a command line and a kernel.")
    parser.add_argument("boot", metavar="BOOT", help="the boot sector's code, without a signature")
    parser.add_argument("kernel", metavar="KERNEL", nargs="?", help="the kernel, an ELF file")
    parser.add_argument("-o", dest="image", metavar="IMAGE", help="the file to write")
    parser.add_argument("--cmdline", metavar="TEXT", default=DEFAULT_CMDLINE,
                        help="the kernel's command line (default: %(default)s)")
    parser.add_argument("--check-boot", action="store_true",
                        help="make no image, only check that BOOT fits its sector")
    arguments = parser.parse_args()
    if not arguments.check_boot and not (arguments.kernel and arguments.image):
        parser.error("give KERNEL and -o IMAGE, or --check-boot")
    return arguments


def main():
    """Run the tool; return the exit status."""
    arguments = parse_arguments()
    try:
        boot = read_file(arguments.boot)
        if arguments.check_boot:
            check_boot(boot)
        else:
            write_image(arguments.image,
                        make_image(boot, read_file(arguments.kernel), arguments.cmdline))
    except ImageError as error:
        print(f"mkimage.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"mkimage.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Make a disk image of the boot sector, the kernel's command line and the kernel.

The boot sector has no room to distrust the kernel's file. So it is here that a
kernel is refused which it could not load: after make_image has returned, the only
things left that can go wrong at boot are the disk and too little memory. What is
where on the disk is read from boot/boot.h.

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

# Emulators that are told no geometry expect whole cylinders of 16 heads and 63 sectors.
CYLINDER = 512 * 16 * 63

LOWEST, HIGHEST = 0x100000, 0x10000000  # The physical memory that a kernel may be loaded to

ELF_HEADER = struct.Struct("<4sBBB9xHHIIIIIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIIIIIII")
PT_LOAD = 1

Segment = collections.namedtuple("Segment", "offset pa filesz memsz")


class ImageError(Exception):
    """No image can be made of this, and why."""


def read_layout():
    """Return the BOOT_ numbers of boot/boot.h by name."""
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
    """Refuse boot sector code that leaves no room for the signature."""
    most = LAYOUT["BOOT_CODE_MAX"]
    require(boot, "the boot sector is empty")
    require(len(boot) <= most,
            f"the boot sector has {len(boot)} bytes, {len(boot) - most} more than the {most} "
            "that fit")


def check_cmdline(cmdline):
    """Return the command line as bytes, or refuse it."""
    require(all(" " <= character <= "~" for character in cmdline),
            f"the command line may hold printable ASCII only: {cmdline!r}")
    require(len(cmdline) < SECTOR,
            f"the command line has {len(cmdline)} characters, {SECTOR - 1} fit")
    return cmdline.encode("ascii")


def parse_segments(kernel):
    """Check the ELF header; return the entry point and what there is to load, in file order."""
    require(kernel[:4] == b"\x7fELF", "the kernel is not an ELF file")
    require(len(kernel) >= ELF_HEADER.size, "the kernel's ELF header is cut off")
    (_, bits, data, _, kind, machine, _, entry, phoff, _, _, _, phentsize, phnum, _, _,
     _) = ELF_HEADER.unpack_from(kernel)
    require((bits, data, machine) == (1, 1, 3), "the kernel is not a 32-bit Intel (i386) ELF file")
    require(kind == 2, "the kernel is not linked as an executable at fixed addresses")
    require(phentsize == PROGRAM_HEADER.size and phnum > 0,
            f"the kernel has {phnum} program headers of {phentsize} bytes, "
            f"not at least 1 of {PROGRAM_HEADER.size}")
    end = phoff + phnum * phentsize
    require(end <= LAYOUT["BOOT_HEADERS"],
            f"the kernel's program headers end at byte {end} of the file; the boot sector sees "
            f"{LAYOUT['BOOT_HEADERS']}")
    require(end <= len(kernel), "the kernel's program headers are cut off")

    segments = []
    for number in range(phnum):
        kind, offset, _, pa, filesz, memsz, _, _ = PROGRAM_HEADER.unpack_from(
            kernel, phoff + number * phentsize)
        if kind == PT_LOAD:
            segments.append(Segment(offset, pa, filesz, memsz))
    return entry, segments


def name(segment):
    """Return how a message calls a segment."""
    return f"the kernel's segment at physical {segment.pa:#x}, size {segment.memsz:#x}"


def check_segment(kernel, segment):
    """Refuse a segment that is not wholly in the file, or not in memory that every PC may have."""
    offset, pa, filesz, memsz = segment
    require(offset + filesz <= len(kernel), f"{name(segment)}, is cut off in the file")
    require(filesz <= memsz, f"{name(segment)}, has more than that in the file: {filesz:#x}")
    require(LOWEST <= pa - offset % SECTOR and pa + memsz <= HIGHEST,
            f"{name(segment)}, with the {offset % SECTOR} bytes before it in its disk sector, is "
            f"not between {LOWEST:#x} and {HIGHEST:#x}; loading goes by p_paddr, below KERNBASE")


def memory(kernel, segment, low, high):
    """Return what physical memory from low to high, in the segment, is to hold."""
    image = kernel[segment.offset:segment.offset + segment.filesz]
    return image[low - segment.pa:high - segment.pa].ljust(high - low, b"\0")


def check_not_hurt(kernel, earlier, later):
    """Refuse what reading `later`, whole blocks from a sector's start on, does to `earlier`."""
    require(earlier.pa + earlier.memsz <= later.pa or later.pa + later.memsz <= earlier.pa,
            f"{name(later)}, overlaps the one at {earlier.pa:#x}")
    skip = later.offset % SECTOR
    start = later.pa - skip
    length = max(-(-(skip + later.filesz) // BLOCK), 1) * BLOCK
    low = max(start, earlier.pa)
    high = min(start + length, earlier.pa + earlier.memsz)
    if low >= high:
        return
    at = later.offset - skip + low - start
    written = kernel[at:at + high - low].ljust(high - low, b"\0")
    require(written == memory(kernel, earlier, low, high),
            f"{name(later)}, is read with the disk's blocks around it, over the one loaded before "
            f"at {earlier.pa:#x}: sort segments by address, and align them in memory to {SECTOR}")


def check_kernel(kernel):
    """Refuse a kernel that the boot sector cannot load and enter."""
    entry, segments = parse_segments(kernel)
    require(segments, "the kernel has nothing to load")
    for number, later in enumerate(segments):
        check_segment(kernel, later)
        for earlier in segments[:number]:
            check_not_hurt(kernel, earlier, later)
    require(any(segment.pa <= entry < segment.pa + segment.filesz for segment in segments),
            f"the kernel's entry point {entry:#x} is not the physical address of anything loaded")


def make_image(boot, kernel, cmdline=DEFAULT_CMDLINE):
    """Return a disk image, as bytes.

    boot is the boot sector without its signature, kernel an ELF file, both bytes;
    cmdline a string. Raises ImageError if they do not fit each other.
    """
    check_boot(boot)
    check_kernel(kernel)
    text = check_cmdline(cmdline)
    head = boot.ljust(LAYOUT["BOOT_CODE_MAX"], b"\0") + SIGNATURE
    head = head.ljust(LAYOUT["BOOT_CMDLINE_LBA"] * SECTOR, b"\0") + text
    image = head.ljust(LAYOUT["BOOT_KERNEL_LBA"] * SECTOR, b"\0") + kernel
    # The last block that is read may begin at the kernel's last byte.
    cylinders = -(-(len(image) + BLOCK) // CYLINDER)
    return image.ljust(cylinders * CYLINDER, b"\0")


def write_image(path, image):
    """Put the image at path in one step, with a hole for the zeros at its end.

    Whoever has the old one open keeps it, and nobody ever sees half of the new.
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
    """Return a file's bytes."""
    with open(path, "rb") as source:
        return source.read()


def parse_arguments():
    """Return the command line's options, or explain them."""
    parser = argparse.ArgumentParser(
        description="Make a disk image of a boot sector, a command line and a kernel.")
    parser.add_argument("boot", metavar="BOOT", help="the boot sector's code, without a signature")
    parser.add_argument("kernel", metavar="KERNEL", nargs="?", help="the kernel, an ELF file")
    parser.add_argument("-o", dest="image", metavar="IMAGE", help="the file to write")
    parser.add_argument("--cmdline", metavar="TEXT", default=DEFAULT_CMDLINE,
                        help="what the kernel is told to run (default: %(default)s)")
    parser.add_argument("--check-boot", action="store_true",
                        help="make no image, only see if BOOT fits its sector")
    arguments = parser.parse_args()
    if not arguments.check_boot and not (arguments.kernel and arguments.image):
        parser.error("KERNEL and -o IMAGE are needed, or --check-boot")
    return arguments


def main():
    """Do what the command line says; return the exit status."""
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

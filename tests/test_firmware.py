"""Tables of the BIOS's that are damaged before the kernel reads them: it does not believe them, and
makes do with what is left.

The CPUs are four cores of one package. ACPI's MADT names all of them, the MP table the first: so
their number tells what was believed. With four packages both name four.
"""

from support import KernelTest, run_gdb

BIOS = (0xf00e0000, 0xf00fffff)
TABLES = (0xf7f00000, 0xf7ffffff)  # At the end of 128 MiB

CORES, PACKAGES = "4", "4,sockets=4"

# Where the checksums are, and in the MADT, the local APIC's address and the entries.
RSDP_SUM, TABLE_SUM, MP_SUM, MP_TABLE_SUM = 8, 9, 10, 7
MADT_LAPIC, MADT_ENTRIES, MADT_ENTRY_SIZE = 36, 44, 8


def find(signature, area):
    """GDB's commands that let $table be where a signature is."""
    letters = ", ".join("'%s'" % letter for letter in signature)
    return ["find /1 0x%x, 0x%x, %s" % (*area, letters), "set $table = (unsigned char *)$_"]


def put(offset, value):
    return ["set var $table[%d] = %s" % (offset, value)]


def damage(signature, area, offset):
    """Change a byte, which makes the checksum wrong."""
    return find(signature, area) + put(offset, "$table[%d] + 1" % offset)


RSDP = damage("RSD PTR ", BIOS, RSDP_SUM)
RSDT = damage("RSDT", TABLES, TABLE_SUM)
MADT = damage("APIC", TABLES, TABLE_SUM)
MP_POINTER = damage("_MP_", BIOS, MP_SUM)
MP_TABLE = damage("PCMP", BIOS, MP_TABLE_SUM)


def change_madt(offset, old, new):
    """Change a byte of the MADT from old to new, and its checksum with it."""
    return [*find("APIC", TABLES), *put(offset, new),
            *put(TABLE_SUM, "$table[%d] + %d" % (TABLE_SUM, old - new))]


class FirmwareTest(KernelTest):
    def run_damaged(self, smp, commands):
        machine = self.boot("yield", cpus=4, smp=smp, gdb=True)
        said = run_gdb(machine, "hbreak mp_init", "continue", *commands, "detach")
        self.assertNotIn("Pattern not found", said)
        return machine.run_to_prompt().replace("\r", "")

    def check_count(self, count, smp, *damages):
        output = self.run_damaged(smp, sum(damages, []))
        self.assert_lines(output, [r"SMP: CPU 0 found %d CPU\(s\)" % count,
                                   *("SMP: CPU %d starting" % i for i in range(1, count)),
                                   r"All done in environment 00001000\."],
                          no=[".*panic.*", ".*does not answer.*"])
        return output

    def test_undamaged(self):
        self.check_count(4, CORES, find("APIC", TABLES))

    def test_rsdp(self):
        self.check_count(1, CORES, RSDP)

    def test_rsdt(self):
        self.check_count(1, CORES, RSDT)

    def test_madt(self):
        self.check_count(1, CORES, MADT)

    def test_mp_table_in_its_place(self):
        self.check_count(4, PACKAGES, MADT)

    def test_mp_pointer(self):
        self.check_count(1, PACKAGES, MADT, MP_POINTER)

    def test_mp_table(self):
        self.check_count(1, PACKAGES, MADT, MP_TABLE)

    def test_madt_entry_of_no_length(self):
        # The first two are good.
        third = MADT_ENTRIES + 2 * MADT_ENTRY_SIZE
        self.check_count(2, CORES, change_madt(third + 1, MADT_ENTRY_SIZE, 0))

    def test_local_apic_where_there_is_memory(self):
        output = self.check_count(4, CORES, change_madt(MADT_LAPIC + 3, 0xfe, 0x00))
        self.assert_lines(output, ["SMP: no local APIC can be at 00e00000"])

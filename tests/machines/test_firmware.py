"""Damaged BIOS tables: the kernel ignores them and uses the other tables.

The number of CPUs found shows which table was used. With four cores in one package, the MADT (ACPI)
lists four CPUs and the MP table one. With four packages, both list four.
"""

from tests.support import KernelTest, run_gdb

BIOS = (0xf00e0000, 0xf00fffff)
TABLES = (0xf7f00000, 0xf7ffffff)  # At the end of 128 MiB

CORES, PACKAGES = "4", "4,sockets=4"

# Offsets of the checksums, and in the MADT, of the local APIC's address and of the entries.
RSDP_SUM, TABLE_SUM, MP_SUM, MP_TABLE_SUM = 8, 9, 10, 7
MADT_LAPIC, MADT_ENTRIES, MADT_ENTRY_SIZE = 36, 44, 8


def find(signature, area):
    """GDB's commands that set $table to the address of a signature."""
    letters = ", ".join("'%s'" % letter for letter in signature)
    return ["find /1 0x%x, 0x%x, %s" % (*area, letters), "set $table = (unsigned char *)$_"]


def put(offset, value):
    return ["set var $table[%d] = %s" % (offset, value)]


def damage(signature, area, offset):
    """Change a byte: the checksum becomes wrong."""
    return find(signature, area) + put(offset, "$table[%d] + 1" % offset)


RSDP = damage("RSD PTR ", BIOS, RSDP_SUM)
RSDT = damage("RSDT", TABLES, TABLE_SUM)
MADT = damage("APIC", TABLES, TABLE_SUM)
MP_POINTER = damage("_MP_", BIOS, MP_SUM)
MP_TABLE = damage("PCMP", BIOS, MP_TABLE_SUM)


def change_madt(offset, old, new):
    """Change a byte of the MADT from old to new; its checksum stays right."""
    return [*find("APIC", TABLES), *put(offset, new),
            *put(TABLE_SUM, "$table[%d] + %d" % (TABLE_SUM, old - new))]


def change(checksum, values):
    """Change bytes of $table in this order; a value is a number or an expression of GDB's. The
    checksum stays right."""
    commands = []
    for offset, value in values:
        commands += ["set var $new = (unsigned char)(%s)" % value,
                     *put(checksum, "$table[%d] + $table[%d] - $new" % (checksum, offset)),
                     *put(offset, "$new")]
    return commands


def word(offset, value):
    """The four bytes of a word, for change()."""
    return [(offset + i, "(%s) >> %d" % (value, 8 * i)) for i in range(4)]


# Turn the RSDT into an XSDT with its first two entries, the FADT and the MADT. QEMU's RSDT has four
# entries or more, so there is room.
XSDT = [*find("RSDT", TABLES), "set var $root = (unsigned int)$table - 0xf0000000",
        "set var $madt = *(unsigned int *)($table + 40)",
        *change(TABLE_SUM, [(0, ord("X")), (4, 36 + 16), (5, 0), *word(44, "$madt"), *word(40, 0),
                            *word(48, 0)])]

# An RSDP without an RSDT; its second part, of 16 bytes, points to the XSDT.
XSDT_SUM = 32
XSDT_POINTER = [*find("RSD PTR ", BIOS), *change(RSDP_SUM, [(15, 2), *word(16, 0)]),
                *(command for i in range(20, 36) for command in put(i, 0)),
                *put(XSDT_SUM, 0), *change(XSDT_SUM, [*word(20, 36), *word(24, "$root")])]


def x2apic_entry(apicid):
    """Replace the second and third entry of the MADT by one x2APIC entry of 16 bytes."""
    second = MADT_ENTRIES + MADT_ENTRY_SIZE
    return [*find("APIC", TABLES),
            *change(TABLE_SUM, [(second, 9), (second + 1, 16), (second + 2, 0), (second + 3, 0),
                                *word(second + 4, apicid), *word(second + 8, 1),
                                *word(second + 12, 1)])]


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

    def test_undamaged_madt_is_used(self):
        self.check_count(4, CORES, find("APIC", TABLES))

    def test_rsdp_with_wrong_checksum_is_ignored(self):
        self.check_count(1, CORES, RSDP)

    def test_rsdt_with_wrong_checksum_is_ignored(self):
        self.check_count(1, CORES, RSDT)

    def test_madt_with_wrong_checksum_is_ignored(self):
        self.check_count(1, CORES, MADT)

    def test_mp_table_replaces_a_damaged_madt(self):
        self.check_count(4, PACKAGES, MADT)

    def test_mp_pointer_with_wrong_checksum_is_ignored(self):
        self.check_count(1, PACKAGES, MADT, MP_POINTER)

    def test_mp_table_with_wrong_checksum_is_ignored(self):
        self.check_count(1, PACKAGES, MADT, MP_TABLE)

    def test_madt_entry_of_length_0_ends_the_list(self):
        # The first two entries are still used.
        third = MADT_ENTRIES + 2 * MADT_ENTRY_SIZE
        self.check_count(2, CORES, change_madt(third + 1, MADT_ENTRY_SIZE, 0))

    def test_local_apic_address_in_memory_is_refused(self):
        output = self.check_count(4, CORES, change_madt(MADT_LAPIC + 3, 0xfe, 0x00))
        self.assert_lines(output, ["SMP: no local APIC can be at 00e00000"])

    def test_xsdt_is_used_without_an_rsdt(self):
        self.check_count(4, CORES, XSDT, XSDT_POINTER)

    def test_xsdt_with_wrong_pointer_checksum_is_ignored(self):
        self.check_count(1, CORES, XSDT, XSDT_POINTER, put(XSDT_SUM, "$table[%d] + 1" % XSDT_SUM))

    def test_xsdt_above_4_gb_is_ignored(self):
        self.check_count(1, CORES, XSDT, XSDT_POINTER, change(XSDT_SUM, [(28, 1)]))

    def test_madt_above_4_gb_is_ignored(self):
        self.check_count(1, CORES, XSDT + change(TABLE_SUM, [(48, 1)]), XSDT_POINTER)

    def test_x2apic_entry_with_a_small_id_is_used(self):
        output = self.check_count(3, CORES, x2apic_entry(1))
        self.assertNotIn("parked", output)

    def test_x2apic_mode_starts_one_cpu(self):
        # GDB makes x2apic_is_on return 1. One CPU runs, with the 8254's interrupts.
        machine = self.boot("preempt", cpus=4, gdb=True)
        run_gdb(machine, "set confirm off", "hbreak x2apic_is_on", "continue", "return 1",
                "delete", "detach")
        self.assert_lines(machine.run_to_prompt(), [
            "SMP: the firmware has set x2APIC mode, which is not supported",
            r"SMP: CPU 0 found 1 CPU\(s\)", "preempt: .*"], no=["SMP: CPU 1 starting"])

    def test_x2apic_entry_with_a_large_id_stays_parked(self):
        for apicid in (255, 300, 0x10001):
            output = self.check_count(2, CORES, x2apic_entry(apicid))
            self.assert_lines(output, ["SMP: 1 more with APIC ids above 254 stay parked"])

#ifndef JOS_KERN_BIOS_H
#define JOS_KERN_BIOS_H

#include <inc/types.h>

// Find the tables that the BIOS left in memory. The functions that return a pointer return NULL if
// the table is missing or invalid. A returned pointer stays valid: the mapping is never removed.

// Return whether a table's checksum is valid: the bytes of the table add up to 0, modulo 256.
bool bios_sum_ok(const void *table, size_t length);

// Return the structure that has this signature and a valid checksum over `length` bytes. Searches
// the areas of memory where a BIOS may put the root of its tables.
const void *bios_find(const char *signature, size_t length);

// Return the table at physical address pa, if it has the given signature (4 characters), a valid
// checksum, and at least min bytes. length_size is the size of the table's length field, which
// follows the signature: 2 or 4 bytes.
const void *bios_table(physaddr_t pa, const char *signature, int length_size, size_t min);

#endif // JOS_KERN_BIOS_H

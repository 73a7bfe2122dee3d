#ifndef JOS_KERN_BIOS_H
#define JOS_KERN_BIOS_H

#include <inc/types.h>

// Finding what the BIOS left in memory (bios.c). Each pointer is NULL for what is not
// there or makes no sense; what it points to stays mapped.

// Whether the bytes of a structure add up to 0, as its checksum makes them.
bool bios_sum_ok(const void *table, size_t length);

// A structure of length bytes, with a signature and a right checksum, that stands in
// one of the places where a BIOS may put the root of its tables.
const void *bios_find(const char *signature, size_t length);

// The table at pa, whole and with the right checksum, if it has that signature of four
// characters and is at least min bytes long. Its length stands behind the signature,
// in as many bytes as length_size says, 2 or 4.
const void *bios_table(physaddr_t pa, const char *signature, int length_size, size_t min);

#endif // JOS_KERN_BIOS_H

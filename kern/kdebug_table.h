#ifndef JOS_KERN_KDEBUG_TABLE_H
#define JOS_KERN_KDEBUG_TABLE_H

#include <inc/types.h>

// The table of the kernel's functions and source lines that tools/ksymtab.py makes
// from the linked kernel, and says all about. Each array is in the order of addresses, and
// an entry holds up to the next one's address.

#define KSYM_NO_FILE 0xffff

struct KsymFunc {
	uint32_t addr;
	uint32_t name; // Offset in ksym_strings; of an empty string where code ends
};

struct KsymLine {
	uint32_t addr;
	uint16_t file; // Index in ksym_files, or KSYM_NO_FILE if it is not known
	uint16_t line;
};

extern const struct KsymFunc ksym_funcs[];
extern const struct KsymLine ksym_lines[];
extern const uint32_t ksym_files[]; // Offsets in ksym_strings
extern const char ksym_strings[];
extern const uint32_t ksym_nfuncs, ksym_nlines, ksym_nfiles;

#endif // JOS_KERN_KDEBUG_TABLE_H

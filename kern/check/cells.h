#ifndef JOS_KERN_CELLS_H
#define JOS_KERN_CELLS_H

#include <inc/env.h>

// The characters and colours that stand for pages (cells.c). Each page_... function needs
// page_words[] (owners.h).

struct Cell {
	char sign;
	uint8_t colours; // For cons_set_colours
};

#define COLOUR_FREE  0x08 // Dark grey
#define COLOUR_WRONG 0x4F // White on red

// Return the cell of an environment, of a physical page, and of the pages from first to before
// limit.
struct Cell env_cell(const struct Env *e);
struct Cell page_cell(size_t page);
struct Cell pages_cell(size_t first, size_t limit);

// Return the cell of a mapping: r (read-only), w (writable), c (copy-on-write), s (PTE_SHARE). It
// is a capital letter if the page is mapped elsewhere, too.
struct Cell mapping_cell(const struct Env *e, pte_t pte);

// Print a cell, or if its sign is 0, only set its colours for the text that follows.
void print_cell(struct Cell cell);

// Set the usual colours again.
void print_plain(void);

#endif // JOS_KERN_CELLS_H

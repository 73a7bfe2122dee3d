#ifndef JOS_INC_ELF_H
#define JOS_INC_ELF_H

#include <inc/types.h>

// The Executable and Linkable Format: the parts that are needed to load 32-bit Intel programs and
// to read their symbols. System V ABI, chapters 4 and 5.

#define ELF_MAGIC 0x464C457FU // "\x7FELF", read as a little-endian word

#define ELF_CLASS32   1
#define ELF_DATA2LSB  1
#define ELF_VERSION   1
#define ELF_TYPE_EXEC 2
#define ELF_MACH_386  3

struct Elf {
	uint32_t e_magic; // Must be ELF_MAGIC
	uint8_t e_class;
	uint8_t e_data;
	uint8_t e_ident_version;
	uint8_t e_pad[9];
	uint16_t e_type;
	uint16_t e_machine;
	uint32_t e_version;
	uint32_t e_entry; // Address where execution begins
	uint32_t e_phoff; // Offset of the program headers, which describe the parts to load
	uint32_t e_shoff; // Offset of the section headers (symbols and other sections)
	uint32_t e_flags;
	uint16_t e_ehsize;
	uint16_t e_phentsize;
	uint16_t e_phnum;
	uint16_t e_shentsize;
	uint16_t e_shnum;
	uint16_t e_shstrndx;
};

#define ELF_PROG_LOAD 1

#define ELF_PROG_FLAG_EXEC  1
#define ELF_PROG_FLAG_WRITE 2
#define ELF_PROG_FLAG_READ  4

struct Proghdr {
	uint32_t p_type;
	uint32_t p_offset; // Offset in the file
	uint32_t p_va;     // Virtual address
	uint32_t p_pa;     // Physical address, used to load a kernel
	uint32_t p_filesz; // Bytes to load from the file
	uint32_t p_memsz;  // Bytes in memory. The bytes after the first p_filesz are zero
	uint32_t p_flags;
	uint32_t p_align;
};

#define ELF_SHT_SYMTAB 2
#define ELF_SHT_STRTAB 3

struct Secthdr {
	uint32_t sh_name;
	uint32_t sh_type;
	uint32_t sh_flags;
	uint32_t sh_addr;
	uint32_t sh_offset;
	uint32_t sh_size;
	uint32_t sh_link; // For a symbol table: the index of its string table
	uint32_t sh_info;
	uint32_t sh_addralign;
	uint32_t sh_entsize;
};

#define ELF_STT(info) (0xF & (info)) // A symbol's type
#define ELF_STT_FUNC  2

struct Sym {
	uint32_t st_name; // Offset in the string table
	uint32_t st_value;
	uint32_t st_size;
	uint8_t st_info;
	uint8_t st_other;
	uint16_t st_shndx;
};

#endif // JOS_INC_ELF_H

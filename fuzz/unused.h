#ifndef JOS_FUZZ_UNUSED_H
#define JOS_FUZZ_UNUSED_H

// What a source names that is compiled whole, in functions that no target calls: it must
// be there for the linker, and no more. Each ends the program, should it be called after
// all.

#define UNUSED(name) __asm__(".weak " #name "\n.set " #name ", 0")

// kern/pmap.c: mem_init
UNUSED(stext);
UNUSED(erodata);
UNUSED(envs);
UNUSED(percpu_kstacks);
UNUSED(percpu_dfstacks);
UNUSED(audit_init);
UNUSED(check_page_free_list);
UNUSED(check_page_alloc);
UNUSED(check_page);
UNUSED(check_kern_pgdir);
UNUSED(check_page_installed_pgdir);
UNUSED(host_rcr0);
UNUSED(host_lcr0);
UNUSED(host_lcr3);
UNUSED(host_rcr4);
UNUSED(host_lcr4);
UNUSED(host_cpuid);

#endif // JOS_FUZZ_UNUSED_H

#ifndef JOS_FUZZ_UNUSED_H
#define JOS_FUZZ_UNUSED_H

// Symbols that the tested sources refer to, but only in functions that no target calls. The linker
// needs a definition. Their address is 0, so that a call or access by mistake ends the program.

#define UNUSED(name) __asm__(".weak " #name "\n.set " #name ", 0")

// Used by mem_init in kern/pmap.c
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

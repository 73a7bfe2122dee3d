#ifndef JOS_INC_SYSCALL_H
#define JOS_INC_SYSCALL_H

// The system calls, declared once: X(name, number of arguments), numbered from
// 0 in this order. From this list come the SYS_ numbers below, the kernel's
// table (kern/syscall.c) and the user library's stubs (lib/syscall.S).
//
// A call is made by int $T_SYSCALL with its number in eax and the arguments in
// edx, ecx, ebx, edi, esi; or if it has no fifth, by sysenter, with eip and esp to come back
// to in esi and ebp: eip must be that of the instruction behind sysenter, since the kernel
// makes a caller that was stopped make its call again. The result is in eax: negative for an
// error. The other registers are kept, but for edx and ecx: always by sysenter, which also
// leaves GD_UD | 3 in ds and es; by a cputs of more than 128 characters, which the kernel may make
// the caller repeat for what is left; and edx by ipc_call.
#define SYSCALLS(X)                    \
	X(cputs, 2)                    \
	X(cgetc, 0)                    \
	X(getenvid, 0)                 \
	X(env_destroy, 1)              \
	X(page_alloc, 3)               \
	X(page_map, 5)                 \
	X(page_unmap, 2)               \
	X(exofork, 0)                  \
	X(env_set_status, 2)           \
	X(env_set_pgfault_upcall, 2)   \
	X(yield, 0)                    \
	X(ipc_try_send, 4)             \
	X(ipc_recv, 1)                 \
	X(ipc_send, 4)                 \
	X(env_set_exception_upcall, 3) \
	X(ipc_call, 5)                 \
	X(batch, 3)                    \
	X(cgetc_wait, 0)

#ifndef __ASSEMBLER__

#include <inc/types.h>

#define X(name, nargs) SYS_##name,
enum { SYSCALLS(X) NSYSCALLS };
#undef X

// One of a batch of calls: what is in eax, edx, ecx, ebx, edi, esi when it is made by itself,
// and in eax afterwards.
struct BatchCall {
	uint32_t number;
	uint32_t args[5];
	int32_t result;
};

#define BATCH_MOST 12 // So many at once: meanwhile no other CPU gets the big lock

enum {
	BATCH_STOP = 1 << 0, // At the first call that fails
};

#endif // !__ASSEMBLER__

#endif // JOS_INC_SYSCALL_H

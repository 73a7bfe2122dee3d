#ifndef JOS_INC_SYSCALL_H
#define JOS_INC_SYSCALL_H

// The list of all system calls: X(name, number of arguments). Their numbers begin at 0 and follow
// the order of the list. The SYS_ numbers below, the kernel's table (kern/syscall.c) and the
// functions of the user library (lib/syscall.S) are made from this list.
//
// To add a call: add a line at the end of LAB_SYSCALLS, define sys_NAME in kern/syscall.c, and
// declare sys_NAME for programs in inc/lib.h.
//
// A program makes a call in one of two ways. In both ways, the number of the call is in eax, and
// the arguments are in edx, ecx, ebx, edi, esi. The result is returned in eax; a negative result is
// an error.
//
// - int $T_SYSCALL
// - sysenter, for at most four arguments. esi must hold the address of the instruction after
//   sysenter, and ebp the value that esp must have after the call. (esi must not hold any other
//   address: if the kernel must repeat the call, it continues the program at sysenter, two bytes
//   before the address in esi.)
//
// The kernel preserves all other registers, with these exceptions:
//
// - every call by sysenter: edx and ecx, and ds and es become GD_UD | 3
// - cputs of more than 128 characters: edx and ecx, since the kernel may make the caller repeat
//   the call for the rest of the text
// - ipc_call: edx
//
// The calls in CHALLENGE_SYSCALLS are implemented in kern/challenge/. A kernel that is built
// without that folder (`make CHALLENGES=`) returns -E_INVAL for these calls, as for any unknown
// number. STRIDE_SYSCALLS exists only with `make DEFS=-DSTRIDE` (kern/challenge/stride.c).
#define SYSCALLS(X)     \
	LAB_SYSCALLS(X) \
	CHALLENGE_SYSCALLS(X)

#define LAB_SYSCALLS(X)              \
	X(cputs, 2)                  \
	X(cgetc, 0)                  \
	X(getenvid, 0)               \
	X(env_destroy, 1)            \
	X(page_alloc, 3)             \
	X(page_map, 5)               \
	X(page_unmap, 2)             \
	X(exofork, 0)                \
	X(env_set_status, 2)         \
	X(env_set_pgfault_upcall, 2) \
	X(yield, 0)                  \
	X(ipc_try_send, 4)           \
	X(ipc_recv, 1)               \
	X(cgetc_wait, 0)

#define CHALLENGE_SYSCALLS(X)          \
	X(ipc_send, 4)                 \
	X(ipc_call, 5)                 \
	X(env_set_exception_upcall, 3) \
	X(batch, 3)                    \
	STRIDE_SYSCALLS(X)

#ifdef STRIDE
#define STRIDE_SYSCALLS(X) X(env_set_tickets, 2)
#else
#define STRIDE_SYSCALLS(X)
#endif

#ifndef __ASSEMBLER__

#include <inc/types.h>

#define X(name, nargs) SYS_##name,
enum { SYSCALLS(X) NSYSCALLS };
#undef X

// One call of a batch. `number` is the value that a single call has in eax; `args` are the values
// in edx, ecx, ebx, edi, esi. The kernel sets `result` to the value that a single call returns in
// eax.
struct BatchCall {
	uint32_t number;
	uint32_t args[5];
	int32_t result;
};

#define BATCH_MAX 12 // Maximum calls in a batch, during which the kernel holds the big lock

enum {
	BATCH_STOP = 1 << 0, // Stop after the first call that fails
};

#endif // !__ASSEMBLER__

#endif // JOS_INC_SYSCALL_H

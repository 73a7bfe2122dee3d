#ifndef JOS_KERN_IPC_H
#define JOS_KERN_IPC_H

#include <inc/env.h>

// Messages between environments (ipc.c). The caller holds the big lock.

int sys_ipc_try_send(envid_t to, uint32_t value, void *srcva, int perm);
int sys_ipc_send(envid_t to, uint32_t value, void *srcva, int perm);
int sys_ipc_recv(void *dstva);
int sys_ipc_call(envid_t to, uint32_t value, void *srcva, int perm, void *dstva);

#endif // JOS_KERN_IPC_H

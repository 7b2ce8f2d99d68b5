// SPDX-License-Identifier: BSD-2-Clause
/*
 * The way into the kernel and out of it.  The machine calls these; kernel/
 * defines them.  Interrupts are off in all of them.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "base/types.h"
#include "arch/context.h"

enum fault_kind {
    FAULT_PAGE,                 /* .address, .access */
    FAULT_ILLEGAL_INSTRUCTION,
    FAULT_ARITHMETIC,           /* divide, SIMD and x87 */
    FAULT_ALIGNMENT,
    FAULT_BREAKPOINT,
    FAULT_PROTECTION,           /* general protection, bad segment */
    FAULT_OTHER,
};

struct fault {
    enum fault_kind kind;
    uint64_t address;           /* page fault: the address touched */
    uint32_t access;            /* page fault: CAD_PROT_READ, _WRITE or _EXECUTE */
    uint32_t machine_code;      /* vector and error code, for reports */
    bool present;               /* page fault: an entry was there but forbade it */
};

/* A system call; the context is the current thread's.  A way out of the kernel, as
 * kernel_resume(): gives the context to go on with. */
struct arch_context *kernel_syscall(struct arch_context *context);
/* An exception of user code. */
void kernel_user_fault(struct arch_context *context, const struct fault *fault);
/* The timer's deadline passed. */
void kernel_timer(void);
/* IPI_TLB, and polled in every spin loop. */
void kernel_tlb_service(void);
/* IPI_RESCHEDULE. */
void kernel_reschedule(void);
/* Bytes from the console's receiver. */
void kernel_console_input(const char *bytes, size_t count);

/* Every way out of the kernel: picks the thread to run (idling inside while
 * there is none), switches space and FPU to it, gives its context. */
struct arch_context *kernel_resume(void);

/* First code of every other CPU, on its own stack, space and tables loaded.
 * It ends in kernel_resume() through trap_leave(). */
_Noreturn void kernel_cpu_main(void);

/* Enters user mode with what kernel_resume() gives. */
_Noreturn void trap_leave(void);

struct trap_report;

/* Kernel code itself faulted (or CHECK failed): report and stop everything. */
_Noreturn void kernel_panic(const char *reason, const struct trap_report *report);

#endif

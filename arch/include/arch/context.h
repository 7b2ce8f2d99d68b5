// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread's registers as the machine saves them, seen by kernel/ through
 * names: the ten message words of an invocation, program counter, stack.
 *
 * The kernel has one stack a CPU and none a thread: a trap from user code
 * stores every general register into the current thread's arch_context, runs
 * to completion with interrupts off, and leaves through kernel_resume(), which
 * may name another thread's context.  So blocking is a state, never a stack.
 */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#include "base/types.h"

#include "arch_machine/context.h" /* struct arch_context, struct arch_fpu, CONTEXT_WORDS */

/* Message words m0..m9 of abi/invoke.h and the call's own two registers.
 * Needs: index < 10. */
static inline uint64_t context_word(const struct arch_context *context, unsigned index);
static inline void context_set_word(struct arch_context *context, unsigned index, uint64_t value);

/* Register that names the call (in) and carries its status (out). */
static inline uint64_t context_call(const struct arch_context *context);
static inline void context_set_status(struct arch_context *context, uint64_t status);

/* Register that names the capability (in) and carries the badge (out). */
static inline uint64_t context_cap(const struct arch_context *context);
static inline void context_set_badge(struct arch_context *context, uint64_t badge);

static inline uint64_t context_pc(const struct arch_context *context);
static inline uint64_t context_sp(const struct arch_context *context);

/* A fresh user context: everything zero but these. */
void context_init(struct arch_context *context, uint64_t pc, uint64_t sp, uint64_t argument,
                  uint64_t tls, uint64_t runtime);

/* The two thread pointers of user code, part of the context on every machine:
 * `tls` is the C library's (x86_64: FS base), `runtime` the runtime library's own
 * (x86_64: user GS base), so that its handler finds its stack with no register free.
 * Setting those of the current thread takes effect at the next return to user mode. */
void context_set_tls(struct arch_context *context, uint64_t tls);
void context_set_runtime(struct arch_context *context, uint64_t runtime);

/* The trap was a system call that is not ours: continue at `handler` in user
 * mode, every register as it was, the place to return to in the machine's own
 * syscall link registers (x86_64: rcx, r11). */
void context_bounce(struct arch_context *context, uint64_t handler);

/* The trap was a system call: it is made again, every register as it was. */
void context_restart(struct arch_context *context);

/* Eager floating point: the whole register file, saved and loaded at every
 * switch of threads (EX1). */
void fpu_state_init(struct arch_fpu *fpu);
static inline void fpu_save(struct arch_fpu *fpu);
static inline void fpu_restore(const struct arch_fpu *fpu);

#include "arch_machine/context_inline.h"

#endif

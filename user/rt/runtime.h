// SPDX-License-Identifier: BSD-2-Clause
/*
 * The runtime image: Linux system calls served inside the process that makes
 * them, with that process's own capabilities and nothing else (US2).
 *
 * The kernel sends a trap whose number is not ours back to rt_foreign_entry.
 * That switches to the thread's own handler stack (its thread_block, found
 * through the GS base), saves the registers, and linux_call() serves the number
 * by the table in served.h.  So nothing below the program's stack pointer is
 * touched, and a call may even unmap the stack it was made on.
 *
 * There are no signals: no handler ever runs, and a signal to oneself ends the
 * process with 128 + its number.
 */
#ifndef RT_RUNTIME_H
#define RT_RUNTIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/types.h"
#include "block.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"

/* The registers at a Linux system call, as entry.S pushes them. */
struct linux_registers {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t a5, a4, a3, a2, a1, a0; /* r9 r8 r10 rdx rsi rdi */
    uint64_t number;                 /* rax; the result goes here */
    uint64_t pc, flags, sp;          /* rcx, r11, rsp */
};
_Static_assert(sizeof(struct linux_registers) % 16 == 0, "registers_keep_the_stack_aligned");

/* One a thread, at the top of its handler stack. */
struct thread_block {
    struct thread_block *self;
    uint64_t stack_top;
    uint64_t user_sp;       /* of the call being entered */
    _Atomic uint32_t in_use; /* 0 when the thread has left its stack */
    uint32_t tid;
    _Atomic uint32_t *clear_tid; /* set to 0 and woken when the thread ends */
    struct thread_block *next;
} __attribute__((aligned(16)));
_Static_assert(offsetof(struct thread_block, self) == BLOCK_SELF, "block_self");
_Static_assert(offsetof(struct thread_block, stack_top) == BLOCK_STACK_TOP, "block_stack_top");
_Static_assert(offsetof(struct thread_block, user_sp) == BLOCK_USER_SP, "block_user_sp");

static inline struct thread_block *thread_self(void)
{
    struct thread_block *block;
    __asm__("movq %%gs:%c1, %0" : "=r"(block) : "i"(BLOCK_SELF));
    return block;
}

/* --- entry.S, rt.ld --- */
#pragma GCC visibility push(hidden) /* so that they are reached without a GOT */
void rt_start(void);
void rt_foreign_entry(void);
/* Where a new thread starts: its stack pointer is at its struct linux_registers. */
void rt_thread_start(void);
extern char rt_first_stack_top[], rt_base[];
/* A large variable that most processes never touch: apart from the page that all do. */
#define LARGE __attribute__((section(".bss.large")))
#pragma GCC visibility pop

/* --- start.c --- */
/* Gives: the program's entry point. Needs: the System V stack the kernel made. */
uint64_t runtime_initialize(uint64_t *stack);
/* The end of the process with a note on the console; nothing else can be done. */
_Noreturn void runtime_fail(const char *what, status_t status);
_Noreturn void process_exit(unsigned status);

/* --- dispatch.c --- */
void linux_call(struct linux_registers *registers);
/* Says once for each number that it is not served. Gives: -ENOSYS. */
long refuse_call(uint64_t number);

/* --- error.c --- */
/* Gives: 0 for CAD_OK, else a negative errno. */
long error_of(status_t status);

/* --- lock.c --- */
struct lock {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and awaited */
};
void lock_take(struct lock *lock);
void lock_put(struct lock *lock);
/* Waits while the word holds `expected`. */
status_t park(const void *word, uint32_t expected, uint64_t deadline_ns);
/* Gives: how many were woken, or a negative errno. */
long unpark(const void *word, uint64_t count);

/* --- time.c --- */
struct linux_timespec {
    int64_t seconds, nanoseconds;
};
/* Nanoseconds since boot; 0 without a clock. */
uint64_t clock_now(uint64_t *boot_wall_seconds);
/* Adds without wrapping: what is too far away is forever. */
uint64_t deadline_after(uint64_t now_ns, uint64_t wait_ns);
/* Gives: false if the fields are out of range. */
bool timespec_to_ns(const struct linux_timespec *time, uint64_t *ns);

/* --- memory.c --- */
status_t memory_allocate(uint64_t pages, uint64_t *address);

/* --- threads.c --- */
void threads_initialize(struct thread_block *first);

/* --- console.c --- */
/* The bytes, to the console. Gives: how many, or a negative errno. */
long console_write(const char *bytes, size_t count);
long console_read(char *buffer, size_t count);
void console_initialize(void);
long console_ioctl(uint64_t request, uint64_t argument);
bool console_is_there(void);

/* --- random.c --- */
long random_fill(uint8_t *buffer, size_t count);

/* --- text.c --- */
void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);
size_t text_length(const char *text);
bool text_equal(const char *left, const char *right);
/* Appends to a line of `room` bytes at `used`, cut short when full. Gives: the new length. */
size_t text_append(char *line, size_t room, size_t used, const char *text);
size_t text_append_number(char *line, size_t room, size_t used, uint64_t number);

#endif

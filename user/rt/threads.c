// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads as pthreads want them: clone, exit, futex.
 *
 * Each thread has a block of BLOCK_PAGES with its handler stack.  Blocks are
 * kept in a list and used again once `in_use` is clear, which a thread does as the
 * last thing in memory: then it is in registers, and ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

#include "served.h"

#define BLOCK_PAGES 4

/* linux/futex.h is not part of a C library's headers. */
enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_PRIVATE = 128,
    FUTEX_CLOCK_REALTIME = 256,
};

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static struct lock threads_lock;
static struct thread_block *blocks; /* all there are, the first thread's at the end */
static uint32_t next_tid;
static _Atomic uint32_t live_threads;

void threads_initialize(struct thread_block *first)
{
    first->tid = cad_capset()->process_id;
    next_tid = first->tid + 1;
    atomic_store(&first->in_use, 1);
    atomic_store(&live_threads, 1);
    blocks = first;
}

/* A page stays reserved, never committed, below each stack. */
static status_t block_create(struct thread_block **out)
{
    cap_id_t memory = cad_find(CAD_ROLE_SELF_MEMORY);
    uint32_t protection = CAD_PROT_READ | CAD_PROT_WRITE;
    struct thread_block *block;
    uint64_t start;
    status_t status =
        cad_virtual_memory_reserve(memory, 0, BLOCK_PAGES + 1, protection, 0, &start);

    if (status != CAD_OK)
        return status;
    status = cad_virtual_memory_commit(memory, start + PAGE_SIZE, BLOCK_PAGES, protection, 0);
    if (status != CAD_OK) {
        (void)cad_virtual_memory_unmap(memory, start, BLOCK_PAGES + 1);
        return status;
    }
    block = (struct thread_block *)(start + (BLOCK_PAGES + 1) * PAGE_SIZE) - 1;
    block->self = block;
    block->stack_top = (uint64_t)block;
    block->tid = next_tid++;
    block->next = blocks;
    blocks = block;
    *out = block;
    return CAD_OK;
}

/* Gives: a block that is in use from now on. */
static status_t block_take(struct thread_block **out)
{
    struct thread_block *block;
    status_t status = CAD_OK;

    lock_take(&threads_lock);
    for (block = blocks; block != NULL; block = block->next) {
        if (atomic_load(&block->in_use) == 0)
            break;
    }
    if (block == NULL)
        status = block_create(&block);
    if (status == CAD_OK) {
        atomic_store(&block->in_use, 1);
        block->clear_tid = NULL;
        *out = block;
    }
    lock_put(&threads_lock);
    return status;
}

/* Linux's order on x86_64: flags, stack, parent's tid, child's tid, thread pointer. */
long call_clone(struct linux_registers *r)
{
    uint64_t flags = r->a0;
    struct linux_registers *start;
    struct thread_block *block;
    status_t status;

    if ((flags & THREAD_FLAGS) != THREAD_FLAGS || r->a1 == 0)
        return refuse_call(r->number);
    status = block_take(&block);
    if (status != CAD_OK)
        return -EAGAIN;
    start = (struct linux_registers *)block->stack_top - 1;
    *start = *r;
    start->number = 0;
    start->sp = r->a1;
    if ((flags & CLONE_CHILD_CLEARTID) != 0)
        block->clear_tid = (_Atomic uint32_t *)r->a3;
    if ((flags & CLONE_PARENT_SETTID) != 0)
        *(uint32_t *)r->a2 = block->tid;
    if ((flags & CLONE_CHILD_SETTID) != 0)
        *(uint32_t *)r->a3 = block->tid;
    atomic_fetch_add(&live_threads, 1);
    status = cad_process_start_thread(cad_find(CAD_ROLE_SELF_PROCESS), (uint64_t)rt_thread_start,
                                      (uint64_t)start, 0, (flags & CLONE_SETTLS) != 0 ? r->a4 : 0,
                                      (uint64_t)block, CAD_PRIORITY_SAME);
    if (status != CAD_OK) {
        atomic_fetch_sub(&live_threads, 1);
        atomic_store(&block->in_use, 0);
        return -EAGAIN;
    }
    return block->tid;
}

/* The stack under this call is the block's, another's as soon as that is given back: so from
 * there on nothing is in memory.  The kernel clears the word and wakes who waits for it; a word
 * that it cannot write is left. */
_Noreturn static void leave(struct thread_block *block, cap_id_t process, _Atomic uint32_t *word)
{
    __asm__ volatile("movl $0, %[in_use]\n"
                     "1: movl %[exit], %%eax\n"
                     "movq %%rbx, %%rdi\n"
                     "syscall\n"
                     "xorl %%esi, %%esi\n"
                     "jmp 1b"
                     : [in_use] "=m"(block->in_use)
                     : [exit] "i"(CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_thread_exit)),
                       "b"(process), "S"(word)
                     : "rax", "rdi", "rcx", "r11", "memory");
    __builtin_unreachable();
}

long call_exit(struct linux_registers *r)
{
    struct thread_block *block = thread_self();

    if (atomic_fetch_sub(&live_threads, 1) == 1)
        process_exit((unsigned)r->a0);
    leave(block, cad_find(CAD_ROLE_SELF_PROCESS), block->clear_tid);
}

long call_exit_group(struct linux_registers *r)
{
    process_exit((unsigned)r->a0);
}

long call_set_tid_address(struct linux_registers *r)
{
    struct thread_block *block = thread_self();

    block->clear_tid = (_Atomic uint32_t *)r->a0;
    return block->tid;
}

long call_gettid(struct linux_registers *r)
{
    (void)r;
    return thread_self()->tid;
}

long call_arch_prctl(struct linux_registers *r)
{
    enum { ARCH_SET_FS = 0x1002 };

    if (r->a0 != ARCH_SET_FS)
        return -EINVAL;
    return error_of(
        cad_process_thread_set_pointers(cad_find(CAD_ROLE_SELF_PROCESS), 1, r->a1, 0));
}

/* WAIT's time is relative; WAIT_BITSET's is a moment, of either clock. */
static long futex_deadline(struct linux_registers *r, uint64_t *deadline_ns)
{
    const struct linux_timespec *time = (const struct linux_timespec *)r->a3;
    uint64_t wall, now, wait;

    *deadline_ns = CAD_DEADLINE_FOREVER;
    if (time == NULL)
        return 0;
    if (!timespec_to_ns(time, &wait))
        return -EINVAL;
    now = clock_now(&wall);
    if ((r->a1 & 15) == FUTEX_WAIT) {
        *deadline_ns = deadline_after(now, wait);
    } else if ((r->a1 & FUTEX_CLOCK_REALTIME) != 0) {
        wall *= UINT64_C(1000000000);
        *deadline_ns = wait > wall ? wait - wall : 0;
    } else {
        *deadline_ns = wait;
    }
    return 0;
}

static long futex_wait(struct linux_registers *r)
{
    uint64_t deadline;
    long result = futex_deadline(r, &deadline);

    return result != 0 ? result : error_of(park((const void *)r->a0, (uint32_t)r->a2, deadline));
}

long call_futex(struct linux_registers *r)
{
    uint64_t operation = r->a1 & ~(uint64_t)(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    uint64_t count = (uint32_t)r->a2;

    if (r->a0 % sizeof(uint32_t) != 0)
        return -EINVAL;
    switch (operation) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return futex_wait(r);
    case FUTEX_CMP_REQUEUE:
        if (atomic_load((_Atomic uint32_t *)r->a0) != (uint32_t)r->a5)
            return -EAGAIN;
        __attribute__((fallthrough));
    case FUTEX_REQUEUE: /* whoever would be moved wakes and looks again */
        count += (uint32_t)r->a3;
        __attribute__((fallthrough));
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return unpark((const void *)r->a0, count < INT32_MAX ? count : INT32_MAX);
    default:
        return -ENOSYS;
    }
}

long call_sched_yield(struct linux_registers *r)
{
    (void)r;
    return error_of(cad_process_thread_yield(cad_find(CAD_ROLE_SELF_PROCESS)));
}

long call_sched_getaffinity(struct linux_registers *r)
{
    uint32_t cpus = cad_capset()->cpu_count;
    uint8_t *mask = (uint8_t *)r->a2;
    size_t bytes = ((cpus + 63) / 64) * 8;

    if (r->a1 < bytes)
        return -EINVAL;
    memset(mask, 0, bytes);
    for (uint32_t i = 0; i < cpus; i++)
        mask[i / 8] |= (uint8_t)(1 << (i % 8));
    return (long)bytes;
}

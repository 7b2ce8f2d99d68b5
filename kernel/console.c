// SPDX-License-Identifier: BSD-2-Clause
/*
 * A reader that waits is given its bytes by the interrupt that brings them, which may take
 * any lock, as no other is held; but by the next timer if it came in an interrupt window.
 */
#include "kernel/console.h"

#include "arch/machine.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/interrupt_window.h"
#include "kernel/scheduler.h"
#include "kernel/timers.h"
#include "kernel/user_copy.h"

#define INPUT_BYTES 4096
#define PART_BYTES  256

uint64_t console_lost_bytes;

static struct spinlock console_lock = SPINLOCK_INIT(LOCK_CONSOLE);
static struct {
    char bytes[INPUT_BYTES];
    uint32_t first, count;
    struct wait_list readers;
} input;

void console_init(void)
{
    machine_console_listen();
}

/* Takes at most `bytes`. Locks: waiters. */
static uint64_t input_take(char *to, uint64_t bytes)
{
    uint64_t taken = 0;

    while (taken < bytes && input.count > 0) {
        to[taken++] = input.bytes[input.first];
        input.first = (input.first + 1) % INPUT_BYTES;
        input.count--;
    }
    return taken;
}

static void input_add(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (input.count == INPUT_BYTES) {
            console_lost_bytes++;
            continue;
        }
        input.bytes[(input.first + input.count) % INPUT_BYTES] = bytes[i];
        input.count++;
    }
}

static uint64_t part_of(uint64_t bytes)
{
    return bytes < PART_BYTES ? bytes : PART_BYTES;
}

/* The first reader's share, with the reader; NULL when there is no reader or no byte. */
static struct thread *reader_serve(char *part, uint64_t *count)
{
    spin_lock(&waiters_lock);
    struct thread *reader = input.count > 0 ? wait_list_take(&input.readers) : NULL;
    if (reader != NULL)
        *count = input_take(part, part_of(context_word(&reader->context, 1)));
    spin_unlock(&waiters_lock);
    return reader;
}

static void readers_serve(void)
{
    char part[PART_BYTES];
    struct thread *reader;
    uint64_t taken = 0;

    while ((reader = reader_serve(part, &taken)) != NULL) {
        status_t status = copy_to_waiter(reader->process, context_word(&reader->context, 0), part,
                                         taken);
        if (status == CAD_OK)
            context_set_word(&reader->context, 0, taken);
        thread_wake(reader, status);
    }
}

/* A reader's buffer may lie in the tables that this CPU holds in a window. */
static bool serve_is_late;

void kernel_console_input(const char *bytes, size_t count)
{
    struct cpu *cpu = this_cpu();

    spin_lock(&waiters_lock);
    input_add(bytes, count);
    spin_unlock(&waiters_lock);
    if (cpu->in_window) {
        atomic_store_relaxed(&serve_is_late, true);
        timers_arm(cpu, timer_now_ns() + WINDOW_LATE_NS);
    } else {
        readers_serve();
    }
}

bool console_is_late(void)
{
    return atomic_load_relaxed(&serve_is_late);
}

void console_serve_late(void)
{
    if (LIKELY(!console_is_late()))
        return;
    atomic_store_relaxed(&serve_is_late, false);
    readers_serve();
}

status_t method_console_read(struct invocation *call)
{
    virt_addr_t buffer = argument(call, 0);
    uint64_t bytes = argument(call, 1), deadline_ns = argument(call, 2);
    char part[PART_BYTES];

    if (bytes == 0)
        return CAD_INVALID;
    status_t status = check_user_writable(call->process, buffer, part_of(bytes));
    if (status != CAD_OK)
        return status;
    spin_lock(&waiters_lock);
    uint64_t taken = input_take(part, part_of(bytes));
    if (taken == 0) {
        status = thread_may_wait(deadline_ns);
        if (status == CAD_OK)
            status = thread_block(call->thread, THREAD_READING, &waiters_lock, &input.readers,
                                  deadline_ns)
                         ? DISPATCH_BLOCKED
                         : CAD_CANCELLED;
    }
    spin_unlock(&waiters_lock);
    if (taken == 0)
        return status;
    status = copy_to_user(call->process, buffer, part, taken);
    if (status == CAD_OK)
        result(call, 0, taken);
    return status;
}

status_t method_console_write(struct invocation *call)
{
    uint64_t bytes = argument(call, 1);
    char data[CAD_CONSOLE_WRITE_MAX];

    if (bytes > CAD_CONSOLE_WRITE_MAX)
        return CAD_INVALID;
    status_t status = copy_from_user(call->process, data, argument(call, 0), bytes);
    if (status != CAD_OK)
        return status;
    spin_lock(&console_lock);
    machine_console_write(data, bytes);
    spin_unlock(&console_lock);
    result(call, 0, bytes);
    return CAD_OK;
}

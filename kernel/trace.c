// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/trace.h"

#include "arch/timer.h"
#include "kernel/boot_options.h"
#include "kernel/cpu.h"

bool trace_on;

static struct spinlock trace_lock = SPINLOCK_INIT(LOCK_TRACE);
static struct cad_trace_record records[TRACE_RECORDS];
static uint64_t next_sequence = 1; /* 0 would be the cursor's end */

void trace_init(const char *command_line)
{
    trace_on = boot_option_is_set(command_line, "trace=on");
}

void trace_add(uint32_t thread, uint32_t call, uint32_t status, uint64_t object)
{
    spin_lock(&trace_lock);
    struct cad_trace_record *record = &records[next_sequence % TRACE_RECORDS];
    record->sequence = next_sequence++;
    record->time_ns = timer_now_ns();
    record->cpu = this_cpu()->index;
    record->thread = thread;
    record->call = call;
    record->status = status;
    record->object = object;
    spin_unlock(&trace_lock);
}

bool trace_read(uint64_t first, struct cad_trace_record *record)
{
    spin_lock(&trace_lock);
    uint64_t oldest = next_sequence > TRACE_RECORDS ? next_sequence - TRACE_RECORDS : 1;
    uint64_t wanted = first > oldest ? first : oldest;
    bool found = wanted < next_sequence;
    if (found)
        *record = records[wanted % TRACE_RECORDS];
    spin_unlock(&trace_lock);
    return found;
}

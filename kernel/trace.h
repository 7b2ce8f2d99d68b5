// SPDX-License-Identifier: BSD-2-Clause
/*
 * The last invocations of the machine, for the inspector: off unless the kernel
 * command line has `trace=on`.  Records overwrite the oldest.
 */
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include "abi/inspect.h"
#include "base/types.h"

#define TRACE_RECORDS 1024

extern bool trace_on;

void trace_init(const char *command_line);
/* Needs: trace_on. Locks: trace, inside. */
void trace_add(uint32_t thread, uint32_t call, uint32_t status, uint64_t object);
/* The record with the lowest sequence number >= `first` that is still there.
 * Gives: false if there is none. */
bool trace_read(uint64_t first, struct cad_trace_record *record);

static inline void trace_invocation(uint32_t thread, uint32_t call, uint32_t status,
                                    uint64_t object)
{
    if (trace_on)
        trace_add(thread, call, status, object);
}

#endif

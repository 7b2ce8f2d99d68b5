// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/interrupt_window.h"

#include "base/assert.h"

void interrupt_window(void)
{
    struct cpu *cpu = this_cpu();

    ASSERT(!cpu->in_window);
    lock_check_below(LOCK_LEDGERS);
    cpu->in_window = true;
    cpu_take_interrupts();
    cpu->in_window = false;
}

// SPDX-License-Identifier: BSD-2-Clause
/* The first CPU to panic reports; others stop; a panic inside the report ends it at once. */
#include "kernel/panic.h"

#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/print.h"

static uint32_t panic_owner; /* CPU index + 1; 0: nobody */

__attribute__((weak)) void panic_print_cpus(void)
{
}

/* Gives back on one CPU only, and only the first time. */
static void panic_take(void)
{
    uint32_t self = cpu_self()->index + 1, nobody = 0;
    if (atomic_compare_exchange(&panic_owner, &nobody, self))
        return;
    if (atomic_load_relaxed(&panic_owner) != self)
        cpu_halt_forever();
    print("\npanic: again, inside the report\n");
    machine_power_off(PANIC_STATUS);
}

static _Noreturn void panic_finish(const struct trap_report *report)
{
    machine_print_report(report);
    print("cpus: %u running\n", cpu_count());
    panic_print_cpus();
    print("panic: end of report\n");
    machine_power_off(PANIC_STATUS);
}

_Noreturn void kernel_panic(const char *reason, const struct trap_report *report)
{
    panic_take();
    machine_stop_others();
    print_panic();
    print("\npanic: cpu %u: %s\n", cpu_self()->index, reason);
    panic_finish(report);
}

_Noreturn void assert_failed(const char *kind, const char *expression, uint64_t value,
                             const char *file, int line)
{
    panic_take();
    machine_stop_others();
    print_panic();
    print("\npanic: cpu %u: %s failed: %s (value %lu, 0x%lx) at %s:%d\n", cpu_self()->index, kind,
          expression, value, value, file, line);
    panic_finish(NULL);
}

/* Compiled code calls this when a stack canary changed. */
_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
    kernel_panic("a kernel stack was overwritten (canary changed)", NULL);
}

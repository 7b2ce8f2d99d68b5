// SPDX-License-Identifier: BSD-2-Clause
/* Machine: power and facts. */
#include "arch/machine.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"

#define POWER_STATUS_MAX 100
#define CLOCK_HZ         1000000000u /* times are nanoseconds */

status_t method_machine_power_off(struct invocation *call)
{
    uint64_t status = argument(call, 0);

    if (status > POWER_STATUS_MAX)
        return CAD_INVALID;
    machine_power_off((unsigned)status);
}

status_t method_machine_reboot(struct invocation *call)
{
    machine_reboot();
}

status_t method_machine_info(struct invocation *call)
{
    result(call, 0, cpu_count());
    result(call, 1, cadastre.frames.total_frames);
    result(call, 2, CLOCK_HZ);
    return CAD_OK;
}

// SPDX-License-Identifier: BSD-2-Clause
/* From the end of boot to init's first instruction; and what its end means. */
#include "arch/machine.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "base/print.h"
#include "boot/boot_info.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/endpoint.h"
#include "kernel/entropy.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/parking.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/spawner.h"
#include "kernel/thread.h"
#include "kernel/trace.h"

/* What the machine's status is when init does not say one. */
#define STATUS_INIT_FAILED 100

uint32_t init_process;
uint64_t boot_cycles;

static void kernel_pools_open(void)
{
    processes.processes = pool_open(POOL_PROCESSES, &processes.ids, sizeof(struct process));
    threads.threads = pool_open(POOL_THREADS, &threads.ids, sizeof(struct thread));
    parking_init();
    endpoints.endpoints = pool_open(POOL_ENDPOINTS, &endpoints.ids, sizeof(struct endpoint));
    notifications.notifications =
        pool_open(POOL_NOTIFICATIONS, &notifications.ids, sizeof(struct notification));
}

/* Each CPU's magazine is paid for before it runs. */
static void cpus_start(void)
{
    for (unsigned i = 1; i < cpu_possible(); i++)
        memory_init_cpu(&cpu_by_index(i)->core);
    print("cpus: %u run\n", cpu_start_all());
}

static void init_start(const struct boot_info *boot)
{
    struct process *process;
    status_t status = spawn_init(boot, &process);

    if (status != CAD_OK) {
        print("init: cannot start, status %u\n", status);
        machine_power_off(STATUS_INIT_FAILED);
    }
    process_put(process);
}

_Noreturn void init_ended(const struct process *process)
{
    bool by_itself = process->exit_reason == CAD_EXIT_STATUS;

    if (!by_itself)
        print("init: ended by reason %u of abi/exit.h at 0x%lx\n", process->exit_reason,
              process->exit_address);
    machine_power_off(by_itself && process->exit_status < STATUS_INIT_FAILED
                          ? process->exit_status
                          : STATUS_INIT_FAILED);
}

_Noreturn void kernel_main(struct boot_info *boot)
{
    cpus_init();
    memory_init(boot);
    kernel_pools_open();
    entropy_init();
    scheduler_init();
    trace_init(boot->command_line);
    cpus_start();
    console_init();
    init_start(boot);
    this_cpu()->switched = cpu_cycles();
    boot_cycles = cpu_cycles() - boot_entry_cycles;
    trap_leave();
}

/* The rest of the CPUs come here, one at a time, while the first waits for them. */
_Noreturn void kernel_cpu_main(void)
{
    struct cpu *cpu = this_cpu();

    cpu->switched = cpu_cycles();
    trap_leave();
}

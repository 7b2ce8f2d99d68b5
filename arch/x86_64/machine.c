// SPDX-License-Identifier: BSD-2-Clause
/* CPU 0 from the boot protocol's hand to kernel_main(), in the one order that works. */
#include "acpi.h"
#include "apic.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "base/assert.h"
#include "base/print.h"
#include "clock.h"
#include "cpu_features.h"
#include "cpu_local.h"
#include "mmu_init.h"
#include "smp.h"
#include "trap.h"

/* A byte of zero ends strings, so a string read too far never shows the canary. */
#define CANARY_MASK UINT64_C(0xffffffffffffff00)

static void enter_kernel(void *boot)
{
    kernel_main(boot);
}

/* Its caller's frame is never left, so nothing compares with the old canary. */
__attribute__((no_stack_protector)) static void canary_choose(void)
{
    uint64_t random = cpu_cycles() * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hardware = 0;
    (void)cpu_hardware_random(&hardware);
    early_cpu.canary = (random ^ hardware) & CANARY_MASK;
}

__attribute__((no_stack_protector)) _Noreturn void machine_main(struct boot_info *boot)
{
    cpu_features_read();
    acpi_read(boot);
    mmu_init(boot);
    mmu_map_stacks(boot, 0);
    mmu_load_kernel_root();
    descriptors_init();
    cpu_load(&early_cpu);
    apic_init(boot);
    smp_prepare(boot);
    apic_load();
    early_cpu.apic_id = apic_id();
    if (!clock_calibrate())
        machine_refuse("boot: neither PM timer nor PIT counts; PM timer port",
                       acpi_info.pm_timer_port);
    canary_choose();
    stack_switch(stack_main_top(0), enter_kernel, boot);
}

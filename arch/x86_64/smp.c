// SPDX-License-Identifier: BSD-2-Clause
/* INIT to all at once, one wait, then a startup interrupt to each in turn. */
#include "smp.h"

#include "acpi.h"
#include "apic.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "base/print.h"
#include "boot/early_memory.h"
#include "clock.h"
#include "cpu_features.h"
#include "cpu_local.h"
#include "instructions.h"
#include "mmu_init.h"
#include "registers.h"

#define INIT_WAIT_NS    10000000u
#define STARTUP_WAIT_NS 1000000u   /* then the startup interrupt is sent once more */
#define ANSWER_WAIT_NS  200000000u
#define STEP_NS         2000u

extern const char trampoline_start[], trampoline_end[];
extern const char trampoline_gdt_pointer[], trampoline_far_32[], trampoline_far_64[];
extern const char trampoline_root[];

/* Read by trampoline.S. */
uint32_t smp_claim = SMP_NOBODY;
struct arch_cpu *smp_cpu;

static frame_no_t trampoline_frame;
static uint32_t smp_ready; /* index of the last CPU that is up */
static bool can_start;

unsigned cpu_possible(void)
{
    return can_start ? acpi_info.processor_count : 1;
}

/* The word `extra` bytes behind `symbol`, in the copy. */
static uint32_t *copy_word(const char *symbol, unsigned extra)
{
    return (uint32_t *)((char *)early_pointer(frame_address(trampoline_frame)) +
                        (symbol - trampoline_start) + extra);
}

static bool trampoline_make(struct boot_info *boot)
{
    trampoline_frame = boot_take_low_frame(boot);
    if (trampoline_frame == FRAME_NONE)
        return false;
    uint32_t page = (uint32_t)frame_address(trampoline_frame);
    size_t bytes = (size_t)(trampoline_end - trampoline_start);
    CHECK_VALUE(bytes <= PAGE_SIZE, bytes);
    __builtin_memcpy(early_pointer(page), trampoline_start, bytes);
    *copy_word(trampoline_gdt_pointer, 2) += page; /* behind its limit */
    *copy_word(trampoline_far_32, 0) += page;
    *copy_word(trampoline_far_64, 0) += page;
    frame_no_t root = mmu_make_trampoline_root(boot, trampoline_frame);
    *copy_word(trampoline_root, 0) = (uint32_t)frame_address(root);
    return true;
}

void smp_prepare(struct boot_info *boot)
{
    if (acpi_info.processor_count <= 1)
        return;
    can_start = trampoline_make(boot);
    if (!can_start)
        print("smp: no memory below 1 MiB for other CPUs to start in; one CPU\n");
    for (unsigned index = 1; index < cpu_possible(); index++)
        mmu_map_stacks(boot, index);
}

_Noreturn void smp_cpu_main(struct arch_cpu *cpu)
{
    mmu_load_kernel_root();
    cpu_load(cpu);
    apic_load();
    clock_follow(cpu);
    atomic_store_release(&smp_ready, cpu->index); /* pairs with answered() */
    while (cpu_count() <= cpu->index)
        cpu_relax();
    kernel_cpu_main();
}

/* Waits for the CPU that may claim `cpu`, and as long as it takes once it did,
 * answering its questions about time.  Takes the claim back only if `last`. */
static bool answered(uint32_t apic_id, const struct arch_cpu *cpu, uint64_t wait_ns, bool last)
{
    for (uint64_t waited = 0;; waited += STEP_NS) {
        uint32_t expected = apic_id;
        if (atomic_load_acquire(&smp_ready) == cpu->index)
            return true;
        clock_lead();
        if (atomic_load_acquire(&smp_claim) == SMP_CLAIMED)
            cpu_relax();
        else if (waited < wait_ns)
            clock_wait_ns(STEP_NS);
        else if (!last || atomic_compare_exchange(&smp_claim, &expected, SMP_NOBODY))
            return false;
    }
}

static bool start_one(uint32_t apic_id, struct arch_cpu *cpu)
{
    cpu->apic_id = apic_id;
    cpu->stack_top = stack_main_top(cpu->index);
    cpu->canary = cpu_self()->canary;
    smp_cpu = cpu;
    atomic_store_release(&smp_claim, apic_id);
    apic_send_startup(apic_id, trampoline_frame);
    if (answered(apic_id, cpu, STARTUP_WAIT_NS, false))
        return true;
    apic_send_startup(apic_id, trampoline_frame);
    return answered(apic_id, cpu, ANSWER_WAIT_NS, true);
}

/* CPUs get their index in the order in which they answer, without gaps. */
unsigned cpu_start_all(void)
{
    uint32_t self = cpu_self()->apic_id;
    unsigned next = 1;
    if (cpu_possible() == 1)
        return 1;
    for (unsigned i = 0; i < acpi_info.processor_count; i++) {
        if (acpi_info.apic_ids[i] != self)
            apic_send_init(acpi_info.apic_ids[i]);
    }
    clock_wait_ns(INIT_WAIT_NS);
    for (unsigned i = 0; i < acpi_info.processor_count && next < cpu_possible(); i++) {
        uint32_t target = acpi_info.apic_ids[i];
        if (target == self)
            continue;
        CHECK_VALUE(arch_cpu_at(next) != NULL, next);
        if (start_one(target, arch_cpu_at(next)))
            cpu_set_count(++next);
        else
            print("smp: CPU with APIC id %u does not answer; left out\n", target);
    }
    return cpu_count();
}

void cpu_send_ipi(unsigned index, enum ipi ipi)
{
    uint32_t target = arch_cpu_at(index)->apic_id;
    switch (ipi) {
    case IPI_TLB:
        apic_send(target, VECTOR_IPI_TLB);
        break;
    case IPI_RESCHEDULE:
        apic_send(target, VECTOR_IPI_RESCHEDULE);
        break;
    case IPI_STOP:
        apic_send_nmi(target);
        break;
    }
}

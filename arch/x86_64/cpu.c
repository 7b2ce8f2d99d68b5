// SPDX-License-Identifier: BSD-2-Clause
/* One CPU's registers, and the table of CPUs. */
#include "arch/cpu.h"

#include "arch/mmu.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "cpu_features.h"
#include "cpu_local.h"
#include "instructions.h"
#include "registers.h"
#include "trap.h"

struct cpu_features cpu_features;
bool cpu_has_fsgsbase, cpu_has_xsave, cpu_has_xsaveopt;

/* A canary with a zero byte stops string overflows from reading it. */
#define CANARY_FIRST UINT64_C(0x5a17c0de9bad2e00)
struct arch_cpu early_cpu = {.self = &early_cpu, .canary = CANARY_FIRST, .deadline_ns = UINT64_MAX};

static struct arch_cpu *cpus[CPU_MAX] = {&early_cpu};
static unsigned running_count = 1;

#define RDRAND_TRIES 10

#define CPUID_BIT(register, bit) (((register) >> (bit)) & 1)

void cpu_features_read(void)
{
    struct cpuid basic = cpuid_read(1, 0), extended = {0};
    uint32_t leaf_max = cpuid_read(0, 0).eax;
    if (leaf_max >= 7)
        extended = cpuid_read(7, 0);
    cpu_features.cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu_features.rdrand = CPUID_BIT(basic.ecx, 30);
    mmu_has_tags = CPUID_BIT(basic.ecx, 17);
    if (mmu_has_tags)
        cpu_features.cr4 |= CR4_PCIDE; /* in 64-bit mode, with PCID 0 in CR3, as cpu_load() is */
    cpu_has_xsave = CPUID_BIT(basic.ecx, 26) && leaf_max >= 0xd;
    cpu_features.smap = CPUID_BIT(extended.ebx, 20);
    cpu_has_fsgsbase = CPUID_BIT(extended.ebx, 0);
    if (cpu_features.smap)
        cpu_features.cr4 |= CR4_SMAP;
    if (CPUID_BIT(extended.ebx, 7))
        cpu_features.cr4 |= CR4_SMEP;
    if (cpu_has_fsgsbase)
        cpu_features.cr4 |= CR4_FSGSBASE;
    if (CPUID_BIT(extended.ecx, 2))
        cpu_features.cr4 |= CR4_UMIP;
    if (cpu_has_xsave) {
        cpu_features.cr4 |= CR4_OSXSAVE;
        cpu_features.xcr0 = cpuid_read(0xd, 0).eax & 7; /* x87, SSE, AVX */
        cpu_has_xsaveopt = CPUID_BIT(cpuid_read(0xd, 1).eax, 0);
    }
    cpu_features.page_1g = CPUID_BIT(cpuid_read(0x80000001, 0).edx, 26);
}

void cpu_load_self(struct arch_cpu *cpu)
{
    cpu->self = cpu;
    msr_write(MSR_GS_BASE, (uint64_t)cpu);
}

/* No canary: %gs is away for some instructions. */
__attribute__((no_stack_protector)) void cpu_load(struct arch_cpu *cpu)
{
    cpu->stack_top = stack_main_top(cpu->index);
    cpu->deadline_ns = UINT64_MAX;
    descriptors_load(cpu);
    cpu_load_self(cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
    cr0_write(CR0_KERNEL);
    cr4_write(cpu_features.cr4);
    if (cpu_has_xsave) {
        xcr0_write(cpu_features.xcr0);
        CHECK_VALUE(cpuid_read(0xd, 0).ebx <= FPU_STATE_BYTES, cpuid_read(0xd, 0).ebx);
    }
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
    msr_write(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << 32 |
                            (uint64_t)(SELECTOR_KERNEL_DATA | SELECTOR_RPL_MASK) << 48);
    msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
    msr_write(MSR_SFMASK, RFLAGS_SYSCALL_MASK);
}

unsigned cpu_count(void)
{
    return atomic_load_relaxed(&running_count);
}

void cpu_set_count(unsigned count)
{
    atomic_store_release(&running_count, count);
}

struct arch_cpu *arch_cpu_at(unsigned index)
{
    return atomic_load_relaxed(&cpus[index]);
}

void cpu_attach(unsigned index, struct arch_cpu *cpu)
{
    CHECK_VALUE(index < CPU_MAX, index);
    if (index == 0) {
        *cpu = early_cpu;
        cpu_load_self(cpu);
        descriptors_note_cpu(cpu);
    } else {
        *cpu = (struct arch_cpu){.self = cpu, .index = index};
    }
    cpus[index] = cpu;
}

void cpu_load_bases(const struct arch_context *context)
{
    msr_write(MSR_FS_BASE, context->fs_base);
    msr_write(MSR_KERNEL_GS_BASE, context->gs_base);
}

void cpu_idle(void)
{
    /* An interrupt is not taken between sti and hlt. */
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

void cpu_take_interrupts(void)
{
    /* Nor between sti and nop, but then. */
    __asm__ volatile("sti; nop; cli" ::: "memory");
}

_Noreturn void cpu_halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" ::: "memory");
}

bool cpu_hardware_random(uint64_t *value)
{
    if (!cpu_features.rdrand)
        return false;
    for (unsigned i = 0; i < RDRAND_TRIES; i++) {
        uint64_t random;
        bool good;
        __asm__ volatile("rdrand %0" : "=r"(random), "=@ccc"(good));
        if (good) {
            *value = random;
            return true;
        }
    }
    return false;
}

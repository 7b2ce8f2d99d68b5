// SPDX-License-Identifier: BSD-2-Clause
/* GDT and TSS, one of each a CPU; one IDT for all. */
#include "cpu_local.h"

#include "base/assert.h"
#include "registers.h"
#include "trap.h"

struct tss {
    uint32_t reserved0;
    uint64_t rsp0, rsp1, rsp2;
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));
COMPILE_ASSERT(sizeof(struct tss) == 104, tss_size);

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
COMPILE_ASSERT(sizeof(struct gate) == 16, gate_size);

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

#define GATE_INTERRUPT      0x8e
#define GATE_INTERRUPT_USER 0xee

/* Accessed and, for data, writable are set: a descriptor load writes nothing. */
#define GDT_KERNEL_CODE UINT64_C(0x00af9b000000ffff)
#define GDT_KERNEL_DATA UINT64_C(0x00cf93000000ffff)
#define GDT_USER_DATA   UINT64_C(0x00cff3000000ffff)
#define GDT_USER_CODE   UINT64_C(0x00affb000000ffff)
#define GDT_TSS_TYPE    UINT64_C(0x0000890000000000)
#define GDT_ENTRIES     7

COMPILE_ASSERT(STACK_SLOT_BYTES >= PAGE_SIZE + STACK_BYTES +
                                       IST_COUNT * (PAGE_SIZE + STACK_IST_BYTES),
               stacks_fit_their_slot);

struct cpu_tables {
    uint64_t gdt[GDT_ENTRIES];
    struct tss tss;
};

static struct cpu_tables cpu_tables[CPU_MAX];
static struct gate idt[VECTOR_COUNT];

/* The two words above an own stack's first push: the CPU's data, and padding that aligns. */
#define IST_NOTE_BYTES 16

static void gate_set(unsigned vector, uint8_t type, uint8_t ist)
{
    uint64_t stub = (uint64_t)trap_stubs + (uint64_t)vector * VECTOR_STUB_BYTES;
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)stub,
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
        .selector = SELECTOR_KERNEL_CODE,
        .ist = ist,
        .type = type,
    };
}

void descriptors_init(void)
{
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        gate_set(vector, GATE_INTERRUPT, 0);
    gate_set(VECTOR_BREAKPOINT, GATE_INTERRUPT_USER, 0);
    gate_set(VECTOR_DOUBLE_FAULT, GATE_INTERRUPT, IST_DOUBLE_FAULT);
    gate_set(VECTOR_NMI, GATE_INTERRUPT, IST_NMI);
    gate_set(VECTOR_MACHINE_CHECK, GATE_INTERRUPT, IST_MACHINE_CHECK);
}

void descriptors_note_cpu(struct arch_cpu *cpu)
{
    for (unsigned ist = 1; ist <= IST_COUNT; ist++) {
        uint64_t note = stack_ist_top(cpu->index, ist) - IST_NOTE_BYTES;
        *(struct arch_cpu **)note = cpu;
    }
}

static void tables_fill(struct cpu_tables *tables, unsigned index)
{
    uint64_t base = (uint64_t)&tables->tss, limit = sizeof(struct tss) - 1;
    tables->tss = (struct tss){.rsp0 = stack_main_top(index), .io_map = sizeof(struct tss)};
    for (unsigned ist = 1; ist <= IST_COUNT; ist++)
        tables->tss.ist[ist - 1] = stack_ist_top(index, ist) - IST_NOTE_BYTES;
    tables->gdt[0] = 0;
    tables->gdt[SELECTOR_KERNEL_CODE / 8] = GDT_KERNEL_CODE;
    tables->gdt[SELECTOR_KERNEL_DATA / 8] = GDT_KERNEL_DATA;
    tables->gdt[SELECTOR_USER_DATA / 8] = GDT_USER_DATA;
    tables->gdt[SELECTOR_USER_CODE / 8] = GDT_USER_CODE;
    tables->gdt[SELECTOR_TSS / 8] = GDT_TSS_TYPE | limit | (base & 0xffffff) << 16 |
                                    (base >> 24 & 0xff) << 56;
    tables->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

/* %gs is reloaded here, which loses its base: no stack canary may be looked at. */
__attribute__((no_stack_protector)) void descriptors_load(struct arch_cpu *cpu)
{
    struct cpu_tables *tables = &cpu_tables[cpu->index];
    tables_fill(tables, cpu->index);
    descriptors_note_cpu(cpu);
    struct table_pointer gdtr = {sizeof(tables->gdt) - 1, (uint64_t)tables->gdt};
    struct table_pointer idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t discarded;
    __asm__ volatile("lgdt %1\n\t"
                     "pushq %2\n\t"
                     "leaq 1f(%%rip), %0\n\t"
                     "pushq %0\n\t"
                     "lretq\n"
                     "1:\tmovl %3, %%ss\n\t"
                     "movl %4, %%ds\n\t"
                     "movl %4, %%es\n\t"
                     "movl %4, %%fs\n\t"
                     "movl %4, %%gs\n\t"
                     "ltr %w5\n\t"
                     "lidt %6"
                     : "=&r"(discarded)
                     : "m"(gdtr), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0),
                       "r"(SELECTOR_TSS), "m"(idtr)
                     : "memory");
}

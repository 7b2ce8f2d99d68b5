// SPDX-License-Identifier: BSD-2-Clause
/*
 * xAPIC by memory-mapped registers.  Interrupts are off in all of the kernel
 * but cpu_idle() and cpu_take_interrupts(), so two-register commands are never torn.
 */
#include "apic.h"

#include "acpi.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "base/assert.h"
#include "base/print.h"
#include "instructions.h"
#include "mmu_init.h"
#include "registers.h"

#define APIC_ID           0x020
#define APIC_TASK_PRIORITY 0x080
#define APIC_EOI          0x0b0
#define APIC_SPURIOUS     0x0f0
#define APIC_COMMAND_LOW  0x300
#define APIC_COMMAND_HIGH 0x310
#define APIC_LVT_TIMER    0x320
#define APIC_LVT_LINT0    0x350
#define APIC_LVT_LINT1    0x360
#define APIC_LVT_ERROR    0x370
#define APIC_TIMER_FIRST  0x380
#define APIC_TIMER_NOW    0x390
#define APIC_TIMER_DIVIDER 0x3e0

#define SPURIOUS_ENABLE   0x100
#define LVT_MASKED        0x10000
#define LVT_NMI           0x400 /* the board's NMI: a panic report on demand */
#define DIVIDER_16        0x3
#define COMMAND_NMI       0x0400
#define COMMAND_INIT      0x0500
#define COMMAND_STARTUP   0x0600
#define COMMAND_PENDING   0x1000
#define COMMAND_ASSERT    0x4000

#define IO_APIC_SELECT    0x00
#define IO_APIC_WINDOW    0x10
#define IO_APIC_VERSION   0x01
#define IO_APIC_ENTRIES   0x10
#define IO_ACTIVE_LOW     0x2000
#define IO_LEVEL          0x8000
#define IO_MASKED         0x10000

#define PIC_COMMAND_1     0x20
#define PIC_DATA_1        0x21
#define PIC_COMMAND_2     0xa0
#define PIC_DATA_2        0xa1
#define PIC_INIT          0x11

static volatile uint8_t *local_apic;
static volatile uint8_t *io_apics[ACPI_IO_APICS_MAX];

static uint32_t local_read(unsigned offset)
{
    return *(volatile uint32_t *)(local_apic + offset);
}

static void local_write(unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(local_apic + offset) = value;
}

static uint32_t io_read(unsigned index, unsigned offset)
{
    *(volatile uint32_t *)(io_apics[index] + IO_APIC_SELECT) = offset;
    return *(volatile uint32_t *)(io_apics[index] + IO_APIC_WINDOW);
}

static void io_write(unsigned index, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(io_apics[index] + IO_APIC_SELECT) = offset;
    *(volatile uint32_t *)(io_apics[index] + IO_APIC_WINDOW) = value;
}

static unsigned io_entry_count(unsigned index)
{
    return (io_read(index, IO_APIC_VERSION) >> 16 & 0xff) + 1;
}

/* The legacy controller gets vectors that hurt nobody, then silence. */
static void pic_silence(void)
{
    port_write8(PIC_COMMAND_1, PIC_INIT);
    port_write8(PIC_COMMAND_2, PIC_INIT);
    port_write8(PIC_DATA_1, VECTOR_PIC);
    port_write8(PIC_DATA_2, VECTOR_PIC + 8);
    port_write8(PIC_DATA_1, 4); /* the second one hangs on line 2 */
    port_write8(PIC_DATA_2, 2);
    port_write8(PIC_DATA_1, 1);
    port_write8(PIC_DATA_2, 1);
    port_write8(PIC_DATA_1, 0xff);
    port_write8(PIC_DATA_2, 0xff);
}

void apic_init(struct boot_info *boot)
{
    uint64_t base = msr_read(MSR_APIC_BASE);
    pic_silence();
    if ((base & APIC_BASE_X2APIC) != 0)
        machine_refuse("apic: firmware left x2APIC mode on, which is not supported; base", base);
    phys_addr_t address = base & MMU_ADDRESS_MASK;
    if (acpi_info.local_apic != 0 && acpi_info.local_apic != address)
        print("apic: firmware says 0x%lx, the CPU 0x%lx; the CPU knows\n", acpi_info.local_apic,
              address);
    local_apic = mmu_map_device(boot, address);
    for (unsigned i = 0; i < acpi_info.io_apic_count; i++) {
        io_apics[i] = mmu_map_device(boot, acpi_info.io_apics[i].address);
        for (unsigned entry = 0; entry < io_entry_count(i); entry++)
            io_write(i, IO_APIC_ENTRIES + 2 * entry, IO_MASKED);
    }
}

void apic_load(void)
{
    msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLED);
    local_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    local_write(APIC_TASK_PRIORITY, 0);
    local_write(APIC_LVT_LINT0, LVT_MASKED);
    local_write(APIC_LVT_LINT1, cpu_self()->index == 0 ? LVT_NMI : LVT_MASKED);
    local_write(APIC_LVT_ERROR, LVT_MASKED);
    local_write(APIC_TIMER_DIVIDER, DIVIDER_16);
    local_write(APIC_LVT_TIMER, VECTOR_TIMER);
    local_write(APIC_TIMER_FIRST, 0);
}

uint32_t apic_id(void)
{
    return local_read(APIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
    local_write(APIC_EOI, 0);
}

void apic_timer_start(uint32_t count)
{
    local_write(APIC_TIMER_FIRST, count);
}

uint32_t apic_timer_left(void)
{
    return local_read(APIC_TIMER_NOW);
}

static void command(uint32_t target, uint32_t what)
{
    while ((local_read(APIC_COMMAND_LOW) & COMMAND_PENDING) != 0)
        __asm__ volatile("pause");
    local_write(APIC_COMMAND_HIGH, target << 24);
    local_write(APIC_COMMAND_LOW, what | COMMAND_ASSERT);
}

void apic_send(uint32_t target, unsigned vector)
{
    command(target, vector);
}

void apic_send_nmi(uint32_t target)
{
    command(target, COMMAND_NMI);
}

void apic_send_init(uint32_t target)
{
    command(target, COMMAND_INIT);
}

void apic_send_startup(uint32_t target, frame_no_t code)
{
    command(target, COMMAND_STARTUP | code);
}

bool io_apic_route(unsigned irq, unsigned vector, uint32_t target)
{
    const struct acpi_line *line = &acpi_info.isa[irq];
    for (unsigned i = 0; i < acpi_info.io_apic_count; i++) {
        uint32_t entry = line->gsi - acpi_info.io_apics[i].first_gsi;
        if (line->gsi < acpi_info.io_apics[i].first_gsi || entry >= io_entry_count(i))
            continue;
        uint32_t how = (line->active_low ? IO_ACTIVE_LOW : 0) | (line->level ? IO_LEVEL : 0);
        io_write(i, IO_APIC_ENTRIES + 2 * entry + 1, target << 24);
        io_write(i, IO_APIC_ENTRIES + 2 * entry, how | vector);
        return true;
    }
    return false;
}

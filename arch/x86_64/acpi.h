// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the firmware's ACPI tables say that we need, copied out while the early
 * tables still show them: processors, interrupt controllers, the power-off
 * switch and the PM timer.  Every length is checked before use, every checksum
 * too; a table that is wrong is named and left out.
 */
#ifndef X86_64_ACPI_H
#define X86_64_ACPI_H

#include "arch/cpu.h"
#include "boot/boot_info.h"

#define ACPI_IO_APICS_MAX 4
#define ISA_IRQS          16

struct acpi_io_apic {
    phys_addr_t address;
    uint32_t first_gsi;
};

/* How a legacy interrupt line reaches the IO APICs. */
struct acpi_line {
    uint32_t gsi;
    bool active_low, level;
};

struct acpi_info {
    phys_addr_t local_apic;         /* 0: no MADT */
    uint32_t apic_ids[CPU_MAX];     /* processors the firmware enabled */
    unsigned processor_count;       /* of them, at most CPU_MAX */
    unsigned processors_left_out;   /* beyond CPU_MAX, or ids that need x2APIC */
    struct acpi_io_apic io_apics[ACPI_IO_APICS_MAX];
    unsigned io_apic_count;
    struct acpi_line isa[ISA_IRQS];
    uint16_t pm_timer_port;         /* 0: none */
    uint16_t pm1a_port, pm1b_port;  /* 0: none */
    uint8_t sleep_type_a, sleep_type_b;
    bool can_sleep;                 /* \_S5_ was found */
};

extern struct acpi_info acpi_info;

/* Reads all tables.  Needs: the early tables. */
void acpi_read(const struct boot_info *boot);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* Interrupt controllers: this CPU's local APIC, the IO APICs, the masked PIC. */
#ifndef X86_64_APIC_H
#define X86_64_APIC_H

#include "base/types.h"
#include "boot/boot_info.h"

/* The timer counts bus clocks divided by this. */
#define APIC_TIMER_DIVIDE 16

/* Maps the controllers that acpi_info names and silences the legacy one.
 * Needs: the final tables.  Refuses a machine whose local APIC we cannot drive. */
void apic_init(struct boot_info *boot);

/* Enables this CPU's local APIC, its timer stopped. */
void apic_load(void);

uint32_t apic_id(void);
void apic_end_of_interrupt(void);

/* One-shot countdown; 0 stops it. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_left(void);

void apic_send(uint32_t apic_id, unsigned vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, frame_no_t code);

/* Lets legacy line `irq` interrupt the CPU with `apic_id`.
 * Gives: false if no IO APIC serves it. */
bool io_apic_route(unsigned irq, unsigned vector, uint32_t apic_id);

#endif

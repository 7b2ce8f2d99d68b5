// SPDX-License-Identifier: BSD-2-Clause
/* Ways to end: each is tried in turn, since none of them reports failure. */
#include "acpi.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "base/print.h"
#include "clock.h"
#include "instructions.h"

#define DEBUG_EXIT_PORT   0xf4  /* QEMU's isa-debug-exit: leaves with status * 2 + 1 */
#define QEMU_SLEEP_PORT   0x604 /* where QEMU's machines have PM1a control */
#define SLEEP_ENABLE      0x2000
#define SLEEP_TYPE_SHIFT  10
#define KEYBOARD_STATUS   0x64
#define KEYBOARD_BUSY     0x02
#define KEYBOARD_PULSE    0xfe
#define KEYBOARD_TURNS    100000u
#define RESET_PORT        0xcf9
#define RESET_WHOLE       0x06
#define POWER_WAIT_NS     500000000u /* boards are not instant */
#define STATUS_REFUSED    102

_Noreturn void machine_power_off(unsigned status)
{
    interrupts_disable();
    port_write8(DEBUG_EXIT_PORT, (uint8_t)status);
    if (acpi_info.can_sleep && acpi_info.pm1a_port != 0) {
        uint16_t type_a = (uint16_t)(acpi_info.sleep_type_a << SLEEP_TYPE_SHIFT);
        uint16_t type_b = (uint16_t)(acpi_info.sleep_type_b << SLEEP_TYPE_SHIFT);
        port_write16(acpi_info.pm1a_port, type_a | SLEEP_ENABLE);
        if (acpi_info.pm1b_port != 0)
            port_write16(acpi_info.pm1b_port, type_b | SLEEP_ENABLE);
    }
    port_write16(QEMU_SLEEP_PORT, SLEEP_ENABLE);
    clock_wait_ns(POWER_WAIT_NS);
    print("power: nothing here switches this machine off\n");
    cpu_halt_forever();
}

_Noreturn void machine_reboot(void)
{
    interrupts_disable();
    for (unsigned turn = 0; turn < KEYBOARD_TURNS; turn++) {
        if ((port_read8(KEYBOARD_STATUS) & KEYBOARD_BUSY) == 0)
            break;
    }
    port_write8(KEYBOARD_STATUS, KEYBOARD_PULSE);
    port_write8(RESET_PORT, RESET_WHOLE);
    /* No IDT and an exception: the CPU shuts down, the board resets it. */
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) nothing = {0, 0};
    __asm__ volatile("lidt %0; ud2" ::"m"(nothing));
    cpu_halt_forever();
}

_Noreturn void machine_refuse(const char *reason, uint64_t value)
{
    print("%s 0x%lx\n", reason, value);
    machine_power_off(STATUS_REFUSED);
}

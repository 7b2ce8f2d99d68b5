// SPDX-License-Identifier: BSD-2-Clause
/* COM1 through dev/uart16550, its receiver through the IO APIC. */
#include "console.h"

#include "apic.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/trap.h"
#include "base/print.h"
#include "dev/uart16550.h"
#include "instructions.h"
#include "registers.h"

#define COM1_PORT   0x3f8
#define COM1_IRQ    4
#define INPUT_BYTES 64

static uint8_t com1_read(unsigned offset)
{
    return port_read8((uint16_t)(COM1_PORT + offset));
}

static void com1_write(unsigned offset, uint8_t value)
{
    port_write8((uint16_t)(COM1_PORT + offset), value);
}

static const struct uart16550 com1 = {com1_read, com1_write};

void machine_console_init(void)
{
    uart16550_init(&com1);
}

/* A terminal wants a carriage return before each line feed. */
void machine_console_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n')
            uart16550_send(&com1, '\r');
        uart16550_send(&com1, (uint8_t)bytes[i]);
    }
}

void machine_console_listen(void)
{
    if (!io_apic_route(COM1_IRQ, VECTOR_CONSOLE, cpu_self()->apic_id)) {
        print("console: no IO APIC serves line %u; no input\n", COM1_IRQ);
        return;
    }
    uart16550_listen(&com1);
    console_interrupt(); /* what came before: its edge is gone */
}

void console_interrupt(void)
{
    char bytes[INPUT_BYTES];
    size_t count;
    do {
        uint8_t byte;
        for (count = 0; count < INPUT_BYTES && uart16550_receive(&com1, &byte); count++)
            bytes[count] = (char)byte;
        if (count > 0)
            kernel_console_input(bytes, count);
    } while (count == INPUT_BYTES);
    uart16550_acknowledge(&com1);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Register numbers are the device's; the divisor latch shares the first two. */
#include "dev/uart16550.h"

enum uart_register {
    UART_DATA = 0,
    UART_DIVISOR_LOW = 0,
    UART_INTERRUPT_ENABLE = 1,
    UART_DIVISOR_HIGH = 1,
    UART_INTERRUPT_CAUSE = 2,
    UART_FIFO = 2,
    UART_LINE = 3,
    UART_MODEM = 4,
    UART_STATUS = 5,
};

#define LINE_8N1            0x03
#define LINE_DIVISOR        0x80
#define FIFO_ON_CLEARED     0x07 /* interrupt at the first byte */
#define MODEM_READY         0x0b /* DTR, RTS, and OUT2, which lets interrupts out */
#define INTERRUPT_RECEIVED  0x01
#define STATUS_RECEIVED     0x01
#define STATUS_ROOM         0x20
#define SEND_TURNS_MAX      1000000u

void uart16550_init(const struct uart16550 *uart)
{
    uart->write(UART_INTERRUPT_ENABLE, 0);
    uart->write(UART_LINE, LINE_DIVISOR);
    uart->write(UART_DIVISOR_LOW, 1); /* 115200 */
    uart->write(UART_DIVISOR_HIGH, 0);
    uart->write(UART_LINE, LINE_8N1);
    uart->write(UART_FIFO, FIFO_ON_CLEARED);
    uart->write(UART_MODEM, MODEM_READY);
}

void uart16550_send(const struct uart16550 *uart, uint8_t byte)
{
    for (unsigned turn = 0; turn < SEND_TURNS_MAX; turn++) {
        if ((uart->read(UART_STATUS) & STATUS_ROOM) != 0) {
            uart->write(UART_DATA, byte);
            return;
        }
    }
}

void uart16550_listen(const struct uart16550 *uart)
{
    uart->write(UART_INTERRUPT_ENABLE, INTERRUPT_RECEIVED);
}

bool uart16550_receive(const struct uart16550 *uart, uint8_t *byte)
{
    if ((uart->read(UART_STATUS) & STATUS_RECEIVED) == 0)
        return false;
    *byte = uart->read(UART_DATA);
    return true;
}

void uart16550_acknowledge(const struct uart16550 *uart)
{
    (void)uart->read(UART_INTERRUPT_CAUSE);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The 16550 serial port, reached through two functions of its owner, so that it
 * works behind ports and behind memory.  115200 8N1.  The transmitter is waited
 * for; the receiver can interrupt.
 */
#ifndef DEV_UART16550_H
#define DEV_UART16550_H

#include "base/types.h"

struct uart16550 {
    uint8_t (*read)(unsigned offset);
    void (*write)(unsigned offset, uint8_t value);
};

void uart16550_init(const struct uart16550 *uart);

/* Cost: waits for room, but gives the byte up when the device never has any. */
void uart16550_send(const struct uart16550 *uart, uint8_t byte);

/* Receiver interrupts on. */
void uart16550_listen(const struct uart16550 *uart);

/* Gives: true and a byte if one came. */
bool uart16550_receive(const struct uart16550 *uart, uint8_t *byte);

/* Reads the interrupt's cause, which lowers the line. */
void uart16550_acknowledge(const struct uart16550 *uart);

#endif

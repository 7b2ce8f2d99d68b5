// SPDX-License-Identifier: BSD-2-Clause
/* Random bytes, from the Entropy capability. */
#include <errno.h>

#include "served.h"

#define FILL_BYTES_MAX 256

long random_fill(uint8_t *buffer, size_t count)
{
    size_t done = 0;

    while (done < count) {
        size_t part = count - done < FILL_BYTES_MAX ? count - done : FILL_BYTES_MAX;
        status_t status =
            cad_entropy_fill(cad_find(CAD_ROLE_ENTROPY), (uint64_t)(buffer + done), part);
        if (status != CAD_OK)
            return done > 0 ? (long)done : status == CAD_BAD_ADDRESS ? -EFAULT : -EPERM;
        done += part;
    }
    return (long)done;
}

long call_getrandom(struct linux_registers *r)
{
    return random_fill((uint8_t *)r->a0, r->a1 < INT32_MAX ? r->a1 : INT32_MAX);
}

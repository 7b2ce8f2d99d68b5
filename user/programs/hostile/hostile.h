// SPDX-License-Identifier: BSD-2-Clause
/*
 * hostile: programs that break every rule they can, each in a process of its
 * own; the parent checks how it ended, that everything came back, and at last
 * that the auditor finds nothing.
 *
 * An attack is a row: a name, what it does, how it must end.  It runs in a child
 * that was granted everything but the machine's power.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "abi/types.h"

struct attack {
    const char *name;
    int (*run)(void); /* what it returns is the child's exit status */
    enum cad_exit reason;
    int status;       /* with CAD_EXIT_STATUS; -1: any */
};

/* An attack whose end is a matter of chance. */
#define ATTACK_ANY_END ((enum cad_exit)-1)

/* Each file of attacks gives its table, ended by a row without name. */
extern const struct attack attacks_on_memory[];   /* instructions and addresses */
extern const struct attack attacks_on_calls[];    /* invocations with garbage */
extern const struct attack attacks_on_ring[];     /* the ring's indices and entries */
extern const struct attack attacks_on_self[];     /* taking oneself apart in odd orders */

/* Reproducible noise: splitmix64. */
uint64_t noise(void);
void noise_seed(uint64_t seed);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* What this machine's processors can do: read once on CPU 0, constant after. */
#ifndef X86_64_CPU_FEATURES_H
#define X86_64_CPU_FEATURES_H

#include "base/types.h"

struct cpu_features {
    uint64_t cr4;  /* CR4 of every CPU */
    uint64_t xcr0; /* 0: FXSAVE only */
    bool smap, rdrand, page_1g;
};

extern struct cpu_features cpu_features;

/* Needs: CPU 0, before any other function of the machine. */
void cpu_features_read(void);

#endif

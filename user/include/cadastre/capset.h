// SPDX-License-Identifier: BSD-2-Clause
/* What this process was granted, found by role in the CapSet page. */
#ifndef CADASTRE_CAPSET_H
#define CADASTRE_CAPSET_H

#include "abi/capset.h"

static inline const struct cad_capset *cad_capset(void)
{
    return (const struct cad_capset *)CAD_CAPSET_ADDRESS;
}

/* Number `index` of those that carry this role, for roles that several may carry.
 * Gives: CAD_CAP_NONE if there is none. */
static inline cap_id_t cad_find_nth(enum cad_role role, unsigned index)
{
    const struct cad_capset *set = cad_capset();

    for (uint32_t i = 0; i < set->count && i < CAD_CAPSET_ENTRIES; i++) {
        if (set->entries[i].role == (uint32_t)role && index-- == 0)
            return set->entries[i].cap;
    }
    return CAD_CAP_NONE;
}

static inline cap_id_t cad_find(enum cad_role role)
{
    return cad_find_nth(role, 0);
}

#endif

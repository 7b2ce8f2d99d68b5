// SPDX-License-Identifier: BSD-2-Clause
/* Grants are copies of what this process holds under the same roles. */
#include "cadastre/capset.h"
#include "cadastre/manifest.h"

unsigned cad_grants_of(uint64_t roles, struct cad_spawn_grant *grants, unsigned room)
{
    const struct cad_capset *set = cad_capset();
    unsigned count = 0;

    for (uint32_t i = 0; i < set->count && count < room; i++) {
        const struct cad_capset_entry *entry = &set->entries[i];
        if (entry->role < CAD_ROLE_CONSOLE || ((roles >> entry->role) & 1) == 0)
            continue;
        grants[count++] = (struct cad_spawn_grant){
            .cap = entry->cap, .role = entry->role, .rights = entry->rights};
    }
    return count;
}

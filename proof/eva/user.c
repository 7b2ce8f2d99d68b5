// SPDX-License-Identifier: BSD-2-Clause
/* What reads users' words alone: entries and protections, ELF files, rings, park keys.  An ELF
 * file's bytes are others each time they are read. */
#include "core/asid.h"
#include "core/elf.h"
#include "core/entry.h"
#include "core/park.h"
#include "core/ring.h"
#include "world.h"

static void elf(void)
{
    struct elf_source source = { any_bytes, NULL, ANY_LONG() };
    struct elf_plan plan;
    const char *reason;

    (void)elf_plan(&source, ANY_BOOL() ? ELF_MACHINE_X86_64 : ELF_MACHINE_AARCH64,
                   (uint64_t)ANY_BELOW((uint32_t)(CAD_SYSTEM_BASE >> PAGE_SHIFT) + 1) << PAGE_SHIFT,
                   &plan, &reason);
}

static void entries(void)
{
    uint64_t word = ANY_LONG();
    uint32_t protection = ANY_WORD();

    (void)entry_transition(ANY_BELOW(ENTRY_STATE_COUNT), ANY_BELOW(ENTRY_OPERATION_COUNT));
    (void)entry_operation_column(ANY_BELOW(ENTRY_OPERATION_COUNT));
    (void)entry_state_level_max(ANY_BELOW(ENTRY_STATE_COUNT));
    (void)entry_state_name(ANY_WORD());
    (void)entry_operation_name(ANY_WORD());
    (void)entry_state(word);
    (void)entry_protection(word);
    (void)entry_is_present(word);
    (void)entry_value(word);
    (void)entry_marks(world.format, word);
    (void)entry_make_absent(ANY_BELOW(ENTRY_STATE_COUNT), ANY_BELOW(8), ANY_WORD());
    (void)entry_make_table(world.format, ANY_FRAME());
    if (protection_check(protection) == CAD_OK) {
        (void)entry_make_large(world.format, protection, ANY_FRAME());
        (void)entry_make_page(world.format, ANY_BELOW(ENTRY_STATE_COUNT),
                              protection_normal(protection), ANY_FRAME());
    }
}

static void rings(void)
{
    uint32_t count, capacity = ANY_WORD();

    (void)ring_pending(ANY_WORD(), ANY_WORD(), capacity, &count);
    (void)ring_space(ANY_WORD(), ANY_WORD(), capacity, &count);
    if (capacity > 0) {
        (void)ring_slot(ANY_WORD(), capacity);
    }
}

static struct park_table parked;
static struct park_waiter waiters[RECORDS];

static void park(void)
{
    struct park_key key = { ANY_LONG(), ANY_LONG(), ANY_WORD(), ANY_WORD() };
    uint32_t bucket = park_bucket(&key);

    park_enqueue(&parked, ANY_INDEX(), &key);
    (void)park_dequeue(&parked, &key);
    (void)park_remove(&parked, ANY_INDEX());
    (void)park_dequeue_range(&parked, bucket, ANY_WORD(), ANY_LONG(), ANY_LONG(), ANY_LONG());
    park_check_invariants(&parked, bucket);
}

static struct asid_cpu asid;

static void tags(void)
{
    for (unsigned i = 0; i < ASID_TAGS; i++) {
        asid.tags[i].space = ANY_LONG();
        asid.tags[i].changes = ANY_LONG();
    }
    asid.next = ANY_BELOW(ASID_TAGS);
    asid.current = ANY_BELOW(ASID_TAGS + 1);
    (void)asid_enter(&asid, ANY_LONG(), ANY_LONG());
    asid_flush(&asid, ANY_LONG());
    asid_flush_part(&asid, ANY_LONG());
    asid_leave(&asid);
}

void eva_user(void)
{
    world_any();
    park_init(&parked, waiters);
    while (ANY_BOOL()) {
        switch (ANY_BELOW(5)) {
        case 0: elf(); break;
        case 1: entries(); break;
        case 2: rings(); break;
        case 3: tags(); break;
        default: park(); break;
        }
    }
}

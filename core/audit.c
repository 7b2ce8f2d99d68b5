// SPDX-License-Identifier: BSD-2-Clause
/*
 * Order matters in two places: a pool is checked before its records are
 * believed, and sums are compared after all that adds to them.
 */
#include "core/audit.h"

#include "core/audit_priv.h"
#include "core/charge.h"

#define AUDIT_TEXT_FITS(NAME, requirement_id, kind_name, text)                                     \
    COMPILE_ASSERT(sizeof(requirement_id) <= sizeof(((struct cad_violation *)0)->requirement) &&   \
                   sizeof(kind_name) <= sizeof(((struct cad_violation *)0)->kind) &&               \
                   sizeof(text) <= sizeof(((struct cad_violation *)0)->what), text_fits_##NAME);
AUDIT_CHECK_LIST(AUDIT_TEXT_FITS)
#undef AUDIT_TEXT_FITS

struct audit_text {
    const char *requirement, *kind, *what;
};

static const struct audit_text *audit_text(enum audit_check check)
{
#define AUDIT_TEXT(NAME, requirement, kind, what) [AUDIT_##NAME] = { requirement, kind, what },
    static const struct audit_text texts[] = { AUDIT_CHECK_LIST(AUDIT_TEXT) };
#undef AUDIT_TEXT
    return &texts[check];
}

const char *audit_check_what(enum audit_check check)
{
    return audit_text(check)->what;
}

static void text_copy(char *to, size_t bytes, const char *from)
{
    size_t i = 0;

    for (; i < bytes - 1 && from[i] != '\0'; i++)
        to[i] = from[i];
    for (; i < bytes; i++)
        to[i] = '\0';
}

static void audit_report(struct audit *audit, enum audit_check check,
                         struct cad_violation *violation)
{
    const struct audit_text *text = audit_text(check);

    audit->violations++;
    text_copy(violation->requirement, sizeof(violation->requirement), text->requirement);
    text_copy(violation->kind, sizeof(violation->kind), text->kind);
    text_copy(violation->what, sizeof(violation->what), text->what);
    audit->host->report(audit->host->context, violation);
}

bool audit_equal(struct audit *audit, enum audit_check check, uint64_t id, uint64_t other,
                 uint64_t expected, uint64_t found)
{
    audit->checks++;
    if (expected == found)
        return true;
    audit_report(audit, check, &(struct cad_violation){ .id = id, .other = other,
                                                        .expected = expected, .found = found });
    return false;
}

bool audit_true(struct audit *audit, enum audit_check check, uint64_t id, uint64_t other,
                bool holds)
{
    return audit_equal(audit, check, id, other, 1, holds);
}

/* --- what holders add --- */

static bool ledger_lives(struct audit *audit, uint32_t ledger, uint32_t holder)
{
    return audit_true(audit, AUDIT_CHARGED_LEDGER, ledger, holder,
                      id_is_live(&audit->cadastre->ledgers.ids, ledger));
}

void audit_charge(struct audit *audit, uint32_t ledger, uint32_t holder, enum cad_resource what,
                  uint64_t amount)
{
    if (ledger_lives(audit, ledger, holder))
        audit->scratch->ledgers[ledger].used[what] += amount;
}

void audit_ledger_reference(struct audit *audit, uint32_t ledger, uint32_t holder)
{
    if (ledger_lives(audit, ledger, holder))
        audit->scratch->ledgers[ledger].references++;
}

void audit_untyped_reference(struct audit *audit, uint32_t untyped, uint32_t holder)
{
    if (audit_true(audit, AUDIT_UNTYPED_REFERENCES, untyped, holder,
                   id_is_live(&audit->cadastre->untypeds.ids, untyped)))
        audit->scratch->untypeds[untyped].references++;
}

void audit_object_reference(struct audit *audit, uint32_t object, uint32_t ledger)
{
    const struct object_table *table = &audit->cadastre->objects;

    if (!audit_true(audit, AUDIT_OBJECT_REFERENCES, object, ledger,
                    id_is_live(&table->ids, object)))
        return;
    audit->scratch->object_references[object]++;
    uint32_t claim = table->objects[object].claims;

    for (uint32_t i = 0; i < table->objects[object].claim_count; i++) {
        if (!id_is_live(&table->claim_ids, claim))
            break;
        if (table->claims[claim].ledger == ledger) {
            audit->scratch->claim_reasons[claim]++;
            return;
        }
        claim = table->claims[claim].next;
    }
    (void)audit_true(audit, AUDIT_CLAIM_LIST, object, ledger, false);
}

void audit_host_charge(struct audit *audit, uint32_t ledger, enum cad_resource what,
                       uint64_t amount)
{
    audit_charge(audit, ledger, ID_NONE, what, amount);
}

void audit_host_ledger(struct audit *audit, uint32_t ledger)
{
    audit_ledger_reference(audit, ledger, ID_NONE);
}

void audit_host_object(struct audit *audit, uint32_t object, uint32_t ledger)
{
    audit_object_reference(audit, object, ledger);
}

void audit_host_untyped(struct audit *audit, uint32_t untyped)
{
    audit_untyped_reference(audit, untyped, ID_NONE);
}

/* --- pools --- */

static void audit_pool(struct audit *audit, const struct id_pool *pool)
{
    uint32_t live = 0, retired = 0, listed = 0, last = pool->capacity;

    for (uint32_t i = 1; i < pool->capacity; i++) {
        const struct id_slot *slot = &pool->slots[i];
        live += slot->next == ID_LIVE;
        retired += slot->next == ID_RETIRED;
        (void)audit_true(audit, AUDIT_POOL_GENERATION, pool->number, i,
                         slot->generation >= 1 && slot->generation <= pool->generation_max);
    }
    for (uint32_t i = pool->free_head; i != ID_NONE; i = pool->slots[i].next) {
        if (!audit_true(audit, AUDIT_POOL, pool->number, i, i < last && listed < last))
            break;
        listed++;
    }
    (void)audit_equal(audit, AUDIT_POOL, pool->number, 0, pool->live_count, live);
    (void)audit_equal(audit, AUDIT_POOL, pool->number, 1, pool->retired_count, retired);
    (void)audit_equal(audit, AUDIT_POOL, pool->number, 2, pool->free_count, listed);
    (void)audit_equal(audit, AUDIT_POOL, pool->number, 3, last == 0 ? 0 : last - 1,
                      (uint64_t)live + retired + listed);
}

static void audit_pools(struct audit *audit)
{
    const struct cadastre *cadastre = audit->cadastre;

    audit_pool(audit, &cadastre->ledgers.ids);
    audit_pool(audit, &cadastre->untypeds.ids);
    audit_pool(audit, &cadastre->objects.ids);
    audit_pool(audit, &cadastre->objects.claim_ids);
    audit_pool(audit, &cadastre->mappings.ids);
    audit_pool(audit, &cadastre->spaces.ids);
    audit_pool(audit, &cadastre->caps.slot_ids);
    audit_pool(audit, &cadastre->caps.table_ids);
}

/* --- ledgers --- */

static void audit_ledger_tree(struct audit *audit, uint32_t id)
{
    const struct ledger_table *table = &audit->cadastre->ledgers;
    const struct ledger *ledger = &table->ledgers[id];

    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        bool covers = ledger->donated[what] <= ledger->limit[what] &&
                      ledger->available[what] <= ledger->limit[what] - ledger->donated[what];
        (void)audit_true(audit, AUDIT_LEDGER_SUM, id, what, covers);
    }
    if (ledger->parent == ID_NONE)
        return;
    if (!audit_true(audit, AUDIT_LEDGER_PARENT, id, ledger->parent,
                    id_is_live(&table->ids, ledger->parent)))
        return;
    struct audit_ledger *parent = &audit->scratch->ledgers[ledger->parent];

    parent->children++;
    parent->used[CAD_RESOURCE_METADATA] += CHARGE_LEDGER;
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
        parent->donated[what] += ledger->limit[what];
}

static void audit_ledger_sums(struct audit *audit, uint32_t id)
{
    const struct ledger *ledger = &audit->cadastre->ledgers.ledgers[id];
    const struct audit_ledger *sum = &audit->scratch->ledgers[id];

    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        (void)audit_equal(audit, AUDIT_LEDGER_DONATED, id, what, sum->donated[what],
                          ledger->donated[what]);
        (void)audit_equal(audit, AUDIT_LEDGER_USED, id, what, sum->used[what],
                          ledger_used(ledger, what));
    }
    (void)audit_equal(audit, AUDIT_LEDGER_CHILDREN, id, 0, sum->children, ledger->children);
    (void)audit_equal(audit, AUDIT_LEDGER_REFERENCES, id, 0, sum->references, ledger->references);
}

/* --- untypeds --- */

/* Frames of its own are those not handed out; a child's are the child's to check. */
static void audit_untyped_frames(struct audit *audit, uint32_t id)
{
    const struct untyped *untyped = &audit->cadastre->untypeds.untypeds[id];

    for (uint32_t i = 0; i < untyped->pages; i++) {
        frame_no_t number = untyped->first + i;
        if (!frame_exists(&audit->cadastre->frames, number)) {
            (void)audit_true(audit, AUDIT_FRAME_EXISTS, number, id, false);
            return;
        }
        const struct frame *frame = &audit->cadastre->frames.frames[number];
        bool is_own = frame->state == FRAME_UNTYPED && frame->owner == id;
        if (is_own)
            (void)audit_reach(audit, number, id);
        if (i >= untyped->next)
            (void)audit_true(audit, AUDIT_UNTYPED_FRAME, number, id, is_own);
    }
}

static void audit_untyped(struct audit *audit, uint32_t id)
{
    const struct untyped_table *table = &audit->cadastre->untypeds;
    const struct untyped *untyped = &table->untypeds[id];

    audit_charge(audit, untyped->ledger, id, CAD_RESOURCE_METADATA, CHARGE_UNTYPED);
    audit_ledger_reference(audit, untyped->ledger, id);
    if (!audit_true(audit, AUDIT_UNTYPED_RANGE, id, untyped->next,
                    untyped->pages > 0 && untyped->next <= untyped->pages))
        return;
    audit_untyped_frames(audit, id);
    if (untyped->parent == ID_NONE) {
        audit_charge(audit, untyped->ledger, id, CAD_RESOURCE_COMMITTED, untyped->pages);
        return;
    }
    if (!audit_true(audit, AUDIT_UNTYPED_RANGE, id, untyped->parent,
                    id_is_live(&table->ids, untyped->parent)))
        return;
    const struct untyped *parent = &table->untypeds[untyped->parent];
    uint32_t offset = untyped->first - parent->first;

    (void)audit_true(audit, AUDIT_UNTYPED_RANGE, id, untyped->parent,
                     untyped->first >= parent->first && offset <= parent->next &&
                         untyped->pages <= parent->next - offset);
    audit->scratch->untypeds[untyped->parent].references++;
    audit->scratch->untypeds[untyped->parent].children++;
}

static void audit_untyped_sums(struct audit *audit, uint32_t id)
{
    const struct untyped *untyped = &audit->cadastre->untypeds.untypeds[id];
    const struct audit_untyped *sum = &audit->scratch->untypeds[id];

    (void)audit_equal(audit, AUDIT_UNTYPED_REFERENCES, id, 0, sum->references,
                      untyped->references);
    (void)audit_equal(audit, AUDIT_UNTYPED_CHILDREN, id, 0, sum->children, untyped->children);
}

/* --- all of it --- */

static void each_live(struct audit *audit, const struct id_pool *ids,
                      void (*check)(struct audit *, uint32_t))
{
    for (uint32_t i = 1; i < ids->capacity; i++) {
        if (id_is_live(ids, i))
            check(audit, i);
    }
}

static void scratch_clear(struct audit *audit)
{
    const struct cadastre *cadastre = audit->cadastre;
    const struct audit_scratch *scratch = audit->scratch;

    for (uint32_t i = 0; i < cadastre->ledgers.ids.capacity; i++)
        scratch->ledgers[i] = (struct audit_ledger){ .references = 0 };
    for (uint32_t i = 0; i < cadastre->untypeds.ids.capacity; i++)
        scratch->untypeds[i] = (struct audit_untyped){ .references = 0 };
    for (uint32_t i = 0; i < cadastre->objects.ids.capacity; i++)
        scratch->object_references[i] = 0;
    for (uint32_t i = 0; i < cadastre->objects.claim_ids.capacity; i++)
        scratch->claim_reasons[i] = 0;
    for (uint32_t i = 0; i < (scratch->frame_limit + 63) / 64; i++)
        scratch->reached[i] = 0;
}

void audit_run(const struct core_cpu *cpu, const struct audit_host *host,
               const struct audit_scratch *scratch, struct audit_result *result)
{
    struct audit audit = { .cpu = cpu, .cadastre = cpu->cadastre, .host = host,
                           .scratch = scratch };
    const struct cadastre *cadastre = cpu->cadastre;

    scratch_clear(&audit);
    audit_pools(&audit);
    each_live(&audit, &cadastre->ledgers.ids, audit_ledger_tree);
    audit_free_lists(&audit);
    each_live(&audit, &cadastre->untypeds.ids, audit_untyped);
    audit_mappings(&audit);
    audit_spaces(&audit);
    audit_caps(&audit);
    host->add_holdings(host->context, &audit);
    audit_objects(&audit);
    each_live(&audit, &cadastre->untypeds.ids, audit_untyped_sums);
    each_live(&audit, &cadastre->ledgers.ids, audit_ledger_sums);
    audit_frames(&audit);
    result->checks = audit.checks;
    result->violations = audit.violations;
}

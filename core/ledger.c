// SPDX-License-Identifier: BSD-2-Clause
/*
 * `available` moves by compare-and-exchange, so charges need no lock.  A release
 * is checked against `used`, whose three words cannot be read at once: a
 * donation that is under way can make it look too small for a moment, so the
 * check is repeated before it is believed.
 */
#include "core/ledger.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "core/cadastre.h"
#include "core/charge.h"

#define RELEASE_CHECKS 64

static struct ledger *ledger_at(struct core_cpu *cpu, uint32_t ledger)
{
    CHECK_VALUE(id_is_live(&cpu->cadastre->ledgers.ids, ledger), ledger);
    return &cpu->cadastre->ledgers.ledgers[ledger];
}

status_t ledger_quota_status(enum cad_resource what)
{
#define RESOURCE_STATUS(NAME, name, number, unit, status)                                          \
    case CAD_RESOURCE_##NAME: return CAD_##status;
    switch (what) { CAD_RESOURCE_LIST(RESOURCE_STATUS) }
#undef RESOURCE_STATUS
    return CAD_INVALID;
}

const char *ledger_resource_name(enum cad_resource what)
{
#define RESOURCE_NAME(NAME, name, number, unit, status) [CAD_RESOURCE_##NAME] = #name,
    static const char *const names[] = { CAD_RESOURCE_LIST(RESOURCE_NAME) };
#undef RESOURCE_NAME
    return (unsigned)what < ARRAY_COUNT(names) ? names[what] : "?";
}

/* --- one word --- */

static bool word_take(uint64_t *word, uint64_t amount)
{
    uint64_t now = atomic_load_relaxed(word);

    do {
        if (now < amount)
            return false;
    } while (!atomic_compare_exchange(word, &now, now - amount));
    return true;
}

status_t ledger_reserve(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what,
                        uint64_t amount)
{
    return word_take(&ledger_at(cpu, ledger)->available[what], amount) ? CAD_OK
                                                                       : ledger_quota_status(what);
}

uint64_t ledger_used(const struct ledger *ledger, enum cad_resource what)
{
    uint64_t available = atomic_load_acquire(&ledger->available[what]);

    return atomic_load_acquire(&ledger->limit[what]) -
           atomic_load_acquire(&ledger->donated[what]) - available;
}

/* `used` is at least `amount`; wrapped differences count as too small. */
static bool ledger_has_used(const struct ledger *ledger, enum cad_resource what, uint64_t amount)
{
    uint64_t used = ledger_used(ledger, what);

    return used >= amount && used <= atomic_load_acquire(&ledger->limit[what]);
}

void ledger_release(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what, uint64_t amount)
{
    struct ledger *record = ledger_at(cpu, ledger);
    unsigned tries = 0;

    while (!ledger_has_used(record, what, amount)) {
        tries++;
        CHECK_VALUE(tries < RELEASE_CHECKS, ledger);
    }
    (void)atomic_fetch_add(&record->available[what], amount);
}

/* --- the tree --- */

static void ledger_init(struct ledger *ledger, uint32_t parent, const char *name)
{
    unsigned i = 0;

    ledger->parent = parent;
    ledger->children = 0;
    ledger->references = 1;
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        ledger->limit[what] = 0;
        ledger->available[what] = 0;
        ledger->donated[what] = 0;
    }
    for (; i < LEDGER_NAME_BYTES - 1 && name[i] != '\0'; i++)
        ledger->name[i] = name[i];
    for (; i < LEDGER_NAME_BYTES; i++)
        ledger->name[i] = '\0';
}

status_t ledger_create_root(struct core_cpu *cpu, const uint64_t limits[CAD_RESOURCE_COUNT],
                            uint32_t *out)
{
    struct ledger_table *table = &cpu->cadastre->ledgers;
    uint32_t id;

    if (!id_pool_take(cpu, &table->ids, &id))
        return CAD_PRESSURE;
    ledger_init(&table->ledgers[id], ID_NONE, "root");
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        table->ledgers[id].limit[what] = limits[what];
        table->ledgers[id].available[what] = limits[what];
    }
    *out = id;
    return CAD_OK;
}

status_t ledger_create_child(struct core_cpu *cpu, uint32_t parent, const char *name,
                             uint32_t *out)
{
    struct ledger_table *table = &cpu->cadastre->ledgers;
    uint32_t id;
    status_t status = ledger_reserve(cpu, parent, CAD_RESOURCE_METADATA, CHARGE_LEDGER);

    if (status != CAD_OK)
        return status;
    if (!id_pool_take(cpu, &table->ids, &id)) {
        ledger_release(cpu, parent, CAD_RESOURCE_METADATA, CHARGE_LEDGER);
        return CAD_PRESSURE;
    }
    ledger_init(&table->ledgers[id], parent, name);
    table->ledgers[parent].children++;
    *out = id;
    return CAD_OK;
}

void ledger_take(struct core_cpu *cpu, uint32_t ledger)
{
    uint32_t before = atomic_fetch_add(&ledger_at(cpu, ledger)->references, 1u);

    CHECK_VALUE(before > 0 && before < UINT32_MAX, ledger);
}

bool ledger_try_take(struct core_cpu *cpu, uint32_t ledger)
{
    struct ledger *record = ledger_at(cpu, ledger);
    uint32_t seen = atomic_load_relaxed(&record->references);

    while (seen > 0 && seen < UINT32_MAX) {
        if (atomic_compare_exchange(&record->references, &seen, seen + 1))
            return true;
    }
    return false;
}

void ledger_put(struct core_cpu *cpu, uint32_t ledger)
{
    uint32_t before = atomic_fetch_sub(&ledger_at(cpu, ledger)->references, 1u);

    CHECK_VALUE(before > 0, ledger);
    if (before == 1)
        cpu->cadastre->host.ledger_idle(cpu, ledger);
}

/* Everything the ledger was given goes back to its parent, if it has one. */
static void ledger_end(struct core_cpu *cpu, uint32_t id)
{
    struct ledger_table *table = &cpu->cadastre->ledgers;
    struct ledger *ledger = &table->ledgers[id];

    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        CHECK_VALUE(ledger->donated[what] == 0, id);
        CHECK_VALUE(ledger->available[what] == ledger->limit[what], id);
    }
    if (ledger->parent != ID_NONE) {
        struct ledger *parent = ledger_at(cpu, ledger->parent);
        for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
            CHECK_VALUE(parent->donated[what] >= ledger->limit[what], id);
            atomic_store_release(&parent->donated[what],
                                 parent->donated[what] - ledger->limit[what]);
            (void)atomic_fetch_add(&parent->available[what], ledger->limit[what]);
        }
        CHECK_VALUE(parent->children > 0, id);
        parent->children--;
        ledger_release(cpu, ledger->parent, CAD_RESOURCE_METADATA, CHARGE_LEDGER);
    }
    id_pool_put(&table->ids, id);
}

void ledger_collect(struct core_cpu *cpu, uint32_t ledger)
{
    struct ledger_table *table = &cpu->cadastre->ledgers;

    while (id_is_live(&table->ids, ledger) && table->ledgers[ledger].children == 0 &&
           atomic_load_acquire(&table->ledgers[ledger].references) == 0) {
        uint32_t parent = table->ledgers[ledger].parent;
        ledger_end(cpu, ledger);
        ledger = parent;
    }
}

/* --- donation --- */

/* Both ways write the words in an order that never lets `used` look smaller than it
 * is while available stays as read: available goes down first and up last. */
status_t ledger_donate(struct core_cpu *cpu, uint32_t ledger, uint32_t child,
                       enum cad_resource what, uint64_t amount)
{
    struct ledger *from = ledger_at(cpu, ledger), *to = ledger_at(cpu, child);

    if ((unsigned)what >= CAD_RESOURCE_COUNT || to->parent != ledger)
        return CAD_INVALID;
    if (!word_take(&from->available[what], amount))
        return ledger_quota_status(what);
    atomic_store_release(&from->donated[what], from->donated[what] + amount);
    atomic_store_release(&to->limit[what], to->limit[what] + amount);
    (void)atomic_fetch_add(&to->available[what], amount);
    return CAD_OK;
}

status_t ledger_take_back(struct core_cpu *cpu, uint32_t ledger, uint32_t child,
                          enum cad_resource what, uint64_t amount)
{
    struct ledger *to = ledger_at(cpu, ledger), *from = ledger_at(cpu, child);

    if ((unsigned)what >= CAD_RESOURCE_COUNT || from->parent != ledger)
        return CAD_INVALID;
    if (!word_take(&from->available[what], amount))
        return CAD_UNCHARGED;
    CHECK_VALUE(from->limit[what] >= amount && to->donated[what] >= amount, child);
    atomic_store_release(&from->limit[what], from->limit[what] - amount);
    atomic_store_release(&to->donated[what], to->donated[what] - amount);
    (void)atomic_fetch_add(&to->available[what], amount);
    return CAD_OK;
}

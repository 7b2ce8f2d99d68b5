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

/*@ requires ledgers_shape(cpu);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, ledger;
    ensures \result == ledger_record(cpu, ledger) && \valid(\result);
    ensures live: ledger_live(cpu, ledger);
*/
static inline struct ledger *ledger_at(struct core_cpu *cpu, uint32_t ledger)
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

/*@ requires \valid(word);
    terminates \true;
    exits   \false;
    assigns *word;
    ensures taken: \old(*word) >= amount ==>
      \result == \true && *word == \old(*word) - amount;
    ensures refused: \old(*word) < amount ==> \result == \false && *word == \old(*word);
*/
static bool word_take(uint64_t *word, uint64_t amount)
{
    uint64_t now = atomic_load_relaxed(word);

    /*@ loop invariant now == *word == \at(*word,Pre);
        loop assigns now, *word;
        loop variant 0;
    */
    do {
        if (now < amount)
            return false;
    } while (!atomic_compare_exchange(word, &now, now - amount));
    return true;
}

#undef ledger_reserve
status_t ledger_reserve(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what,
                        uint64_t amount)
{
    return word_take(&ledger_at(cpu, ledger)->available[what], amount) ? CAD_OK
                                                                       : ledger_quota_status(what);
}

#include "core/fault_calls.h"

uint64_t ledger_used(const struct ledger *ledger, enum cad_resource what)
{
    uint64_t available = atomic_load_acquire(&ledger->available[what]);

    return atomic_load_acquire(&ledger->limit[what]) -
           atomic_load_acquire(&ledger->donated[what]) - available;
}

/* `used` is at least `amount`; wrapped differences count as too small. */
/*@ requires \valid_read(ledger) && 0 <= what < CAD_RESOURCE_COUNT;
    requires ledger_word_ok(ledger, what);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> ledger_in_use(ledger, what) >= amount;
*/
static bool ledger_has_used(const struct ledger *ledger, enum cad_resource what, uint64_t amount)
{
    uint64_t used = ledger_used(ledger, what);

    return used >= amount && used <= atomic_load_acquire(&ledger->limit[what]);
}

/* It did not look used enough: perhaps for a moment. */
/*@ requires \valid(ledger) && 0 <= what < CAD_RESOURCE_COUNT;
    requires ledger_word_ok(ledger, what);
    terminates \true;
    exits   \false;
    assigns ledger->available[what];
    ensures was_used: \old(ledger_in_use(ledger, what)) >= amount;
    ensures given_back: ledger->available[what] == \old(ledger->available[what]) + amount;
    ensures ledger_word_ok(ledger, what);
*/
__attribute__((noinline)) static void release_slowly(struct ledger *ledger, enum cad_resource what,
                                                     uint64_t amount)
{
    unsigned tries = 0;

    /*@ loop invariant tries < RELEASE_CHECKS;
        loop assigns tries;
        loop variant RELEASE_CHECKS - tries;
    */
    while (!ledger_has_used(ledger, what, amount)) {
        tries++;
        CHECK_VALUE(tries < RELEASE_CHECKS, what);
    }
    (void)atomic_fetch_add(&ledger->available[what], amount);
}

void ledger_release(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what, uint64_t amount)
{
    struct ledger *record = ledger_at(cpu, ledger);

    if (LIKELY(ledger_has_used(record, what, amount)))
        (void)atomic_fetch_add(&record->available[what], amount);
    else
        release_slowly(record, what, amount);
}

/* --- the tree --- */

/*@ requires \valid(ledger) && \valid_read(name + (0 .. LEDGER_NAME_BYTES - 1));
    requires \separated(ledger, name + (0 .. LEDGER_NAME_BYTES - 1));
    terminates \true;
    exits   \false;
    assigns *ledger;
    ensures empty: \forall integer what; 0 <= what < CAD_RESOURCE_COUNT ==>
      ledger_word_is(ledger, what, 0, 0, 0);
    ensures ledger->parent == parent && ledger->children == 0 && ledger->references == 1;
    ensures ends: ledger->name[LEDGER_NAME_BYTES - 1] == 0;
*/
static void ledger_init(struct ledger *ledger, uint32_t parent, const char *name)
{
    unsigned i = 0;

    ledger->parent = parent;
    ledger->children = 0;
    ledger->references = 1;
    /*@ loop invariant 0 <= what <= CAD_RESOURCE_COUNT;
        loop invariant \forall integer done; 0 <= done < what ==>
          ledger_word_is(ledger, done, 0, 0, 0);
        loop assigns what, ledger->limit[0 .. CAD_RESOURCE_COUNT - 1],
          ledger->available[0 .. CAD_RESOURCE_COUNT - 1],
          ledger->donated[0 .. CAD_RESOURCE_COUNT - 1];
        loop variant CAD_RESOURCE_COUNT - what;
    */
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        ledger->limit[what] = 0;
        ledger->available[what] = 0;
        ledger->donated[what] = 0;
    }
    /*@ loop invariant 0 <= i <= LEDGER_NAME_BYTES - 1;
        loop assigns i, ledger->name[0 .. LEDGER_NAME_BYTES - 1];
        loop variant LEDGER_NAME_BYTES - i;
    */
    for (; i < LEDGER_NAME_BYTES - 1 && name[i] != '\0'; i++)
        ledger->name[i] = name[i];
    /*@ loop invariant 0 <= i <= LEDGER_NAME_BYTES;
        loop invariant i == LEDGER_NAME_BYTES ==> ledger->name[LEDGER_NAME_BYTES - 1] == 0;
        loop assigns i, ledger->name[0 .. LEDGER_NAME_BYTES - 1];
        loop variant LEDGER_NAME_BYTES - i;
    */
    for (; i < LEDGER_NAME_BYTES; i++)
        ledger->name[i] = '\0';
}

/* The root is given what nobody else had. */
/*@ requires \valid(ledger) && \valid_read(limits + (0 .. CAD_RESOURCE_COUNT - 1));
    requires \separated(ledger, limits + (0 .. CAD_RESOURCE_COUNT - 1));
    requires empty: \forall integer what; 0 <= what < CAD_RESOURCE_COUNT ==>
      ledger->donated[what] == 0;
    terminates \true;
    exits   \false;
    assigns ledger->limit[0 .. CAD_RESOURCE_COUNT - 1],
            ledger->available[0 .. CAD_RESOURCE_COUNT - 1];
    ensures all_available: \forall integer what; 0 <= what < CAD_RESOURCE_COUNT ==>
      ledger_word_is(ledger, what, limits[what], limits[what], 0);
*/
static void ledger_endow(struct ledger *ledger, const uint64_t limits[CAD_RESOURCE_COUNT])
{
    /*@ loop invariant 0 <= what <= CAD_RESOURCE_COUNT;
        loop invariant \forall integer done; 0 <= done < what ==>
          ledger_word_is(ledger, done, limits[done], limits[done], 0);
        loop invariant \forall integer any; 0 <= any < CAD_RESOURCE_COUNT ==>
          limits[any] == \at(limits[any],Pre) && ledger->donated[any] == 0;
        loop assigns what, ledger->limit[0 .. CAD_RESOURCE_COUNT - 1],
          ledger->available[0 .. CAD_RESOURCE_COUNT - 1];
        loop variant CAD_RESOURCE_COUNT - what;
    */
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        ledger->limit[what] = limits[what];
        ledger->available[what] = limits[what];
    }
}

status_t ledger_create_root(struct core_cpu *cpu, const uint64_t limits[CAD_RESOURCE_COUNT],
                            uint32_t *out)
{
    struct ledger_table *table = &cpu->cadastre->ledgers;
    uint32_t id;

    if (!id_pool_take(cpu, &table->ids, &id))
        return CAD_PRESSURE;
    ledger_init(&table->ledgers[id], ID_NONE, "root");
    ledger_endow(&table->ledgers[id], limits);
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

/*@ requires ledgers_shape(cpu);
    terminates \true;
    exits   \false;
    assigns ledger_record(cpu, ledger)->references;
    ensures live: ledger_live(cpu, ledger);
    ensures one_more: \result == \true ==> \old(ledger_record(cpu, ledger)->references) > 0 &&
      ledger_record(cpu, ledger)->references ==
        \old(ledger_record(cpu, ledger)->references) + 1;
    ensures refused: \result == \false ==> ledger_record(cpu, ledger)->references ==
      \old(ledger_record(cpu, ledger)->references);
    ensures never_revived: \old(ledger_record(cpu, ledger)->references) == 0 ==>
      \result == \false;
*/
bool ledger_try_take(struct core_cpu *cpu, uint32_t ledger)
{
    struct ledger *record = ledger_at(cpu, ledger);
    uint32_t seen = atomic_load_relaxed(&record->references);

    /*@ loop invariant seen == record->references;
        loop invariant seen == \at(ledger_record(cpu, ledger)->references,Pre);
        loop assigns seen, record->references;
        loop variant 0;
    */
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

/* Nothing of what the ledger was given is used or given on. */
/*@ requires \valid_read(ledger);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures all_there: \forall integer what; 0 <= what < CAD_RESOURCE_COUNT ==>
      ledger->donated[what] == 0 && ledger->available[what] == ledger->limit[what];
*/
static void ledger_check_unused(const struct ledger *ledger, uint32_t id)
{
    /*@ loop invariant 0 <= what <= CAD_RESOURCE_COUNT;
        loop invariant \forall integer done; 0 <= done < what ==>
          ledger->donated[done] == 0 && ledger->available[done] == ledger->limit[done];
        loop assigns what;
        loop variant CAD_RESOURCE_COUNT - what;
    */
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        CHECK_VALUE(ledger->donated[what] == 0, id);
        CHECK_VALUE(ledger->available[what] == ledger->limit[what], id);
    }
}

/* What an ended child was given of one resource is its parent's again (LG6). */
/*@ requires \valid(parent) && \valid_read(child) && \separated(parent, child);
    requires 0 <= what < CAD_RESOURCE_COUNT && ledger_word_ok(parent, what);
    terminates \true;
    exits   \false;
    assigns parent->donated[what], parent->available[what];
    ensures taken_off: parent->donated[what] == \old(parent->donated[what]) - child->limit[what];
    ensures given_back: parent->available[what] ==
      \old(parent->available[what]) + child->limit[what];
    ensures use_stays: ledger_in_use(parent, what) == \old(ledger_in_use(parent, what));
    ensures ledger_word_ok(parent, what);
*/
static void ledger_return(struct ledger *parent, const struct ledger *child, unsigned what,
                          uint32_t id)
{
    uint64_t amount = child->limit[what];

    CHECK_VALUE(parent->donated[what] >= amount, id);
    atomic_store_release(&parent->donated[what], parent->donated[what] - amount);
    (void)atomic_fetch_add(&parent->available[what], amount);
}

/* Everything the ledger was given goes back to its parent, if it has one. */
static void ledger_end(struct core_cpu *cpu, uint32_t id)
{
    struct ledger_table *table = &cpu->cadastre->ledgers;
    struct ledger *ledger = &table->ledgers[id];

    ledger_check_unused(ledger, id);
    if (ledger->parent != ID_NONE) {
        struct ledger *parent = ledger_at(cpu, ledger->parent);

        for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
            ledger_return(parent, ledger, what, id);
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
/*@ requires ledgers_shape(cpu);
    requires 0 <= what < CAD_RESOURCE_COUNT ==> ledger_word_ok(ledger_record(cpu, ledger), what) &&
      ledger_word_ok(ledger_record(cpu, child), what);
    requires own_parent: ledger_record(cpu, child)->parent == ledger ==> ledger != child;
    requires sum_of_limits: 0 <= what < CAD_RESOURCE_COUNT &&
      ledger_record(cpu, child)->parent == ledger ==>
      ledger_record(cpu, child)->limit[what] <= ledger_record(cpu, ledger)->donated[what];
    terminates \true;
    exits   \false;
    assigns ledger_record(cpu, ledger)->available[what],
            ledger_record(cpu, ledger)->donated[what],
            ledger_record(cpu, child)->available[what],
            ledger_record(cpu, child)->limit[what];
    ensures live: ledger_live(cpu, ledger) && ledger_live(cpu, child);
    ensures 0 <= what < CAD_RESOURCE_COUNT ==> ledger_word_ok(ledger_record(cpu, ledger), what) &&
      ledger_word_ok(ledger_record(cpu, child), what);
    ensures \result == CAD_OK || \result == CAD_INVALID || \result == CAD_QUOTA_VIRTUAL + what;
    behavior stranger:
      assumes !(0 <= what < CAD_RESOURCE_COUNT) || ledger_record(cpu, child)->parent != ledger;
      assigns \nothing;
      ensures \result == CAD_INVALID;
    behavior used_up:
      assumes 0 <= what < CAD_RESOURCE_COUNT && ledger_record(cpu, child)->parent == ledger;
      assumes ledger_record(cpu, ledger)->available[what] < amount;
      ensures \result == CAD_QUOTA_VIRTUAL + what;
      ensures unchanged: ledger_record(cpu, ledger)->available[what] ==
        \old(ledger_record(cpu, ledger)->available[what]);
      ensures unchanged: ledger_record(cpu, child)->available[what] ==
        \old(ledger_record(cpu, child)->available[what]);
      ensures unchanged: ledger_record(cpu, ledger)->donated[what] ==
        \old(ledger_record(cpu, ledger)->donated[what]);
      ensures unchanged: ledger_record(cpu, child)->limit[what] ==
        \old(ledger_record(cpu, child)->limit[what]);
    behavior moved:
      assumes 0 <= what < CAD_RESOURCE_COUNT && ledger_record(cpu, child)->parent == ledger;
      assumes ledger_record(cpu, ledger)->available[what] >= amount;
      ensures \result == CAD_OK;
      ensures giver: ledger_record(cpu, ledger)->available[what] ==
        \old(ledger_record(cpu, ledger)->available[what]) - amount;
      ensures giver: ledger_record(cpu, ledger)->donated[what] ==
        \old(ledger_record(cpu, ledger)->donated[what]) + amount;
      ensures child: ledger_record(cpu, child)->limit[what] ==
        \old(ledger_record(cpu, child)->limit[what]) + amount;
      ensures child: ledger_record(cpu, child)->available[what] ==
        \old(ledger_record(cpu, child)->available[what]) + amount;
      ensures use_stays: ledger_in_use(ledger_record(cpu, ledger), what) ==
        \old(ledger_in_use(ledger_record(cpu, ledger), what));
      ensures use_stays: ledger_in_use(ledger_record(cpu, child), what) ==
        \old(ledger_in_use(ledger_record(cpu, child), what));
    complete behaviors;
    disjoint behaviors;
*/
status_t ledger_donate(struct core_cpu *cpu, uint32_t ledger, uint32_t child,
                       enum cad_resource what, uint64_t amount)
{
    struct ledger *from = ledger_at(cpu, ledger), *to = ledger_at(cpu, child);

    if ((unsigned)what >= CAD_RESOURCE_COUNT || to->parent != ledger)
        return CAD_INVALID;
    //@ assert apart: \separated(from, to);
    if (FAULT_POINT(cpu, word_take, ledger_quota_status(what)) ||
        !word_take(&from->available[what], amount))
        return ledger_quota_status(what);
    atomic_store_release(&from->donated[what], from->donated[what] + amount);
    atomic_store_release(&to->limit[what], to->limit[what] + amount);
    (void)atomic_fetch_add(&to->available[what], amount);
    return CAD_OK;
}

/*@ requires ledgers_shape(cpu);
    requires 0 <= what < CAD_RESOURCE_COUNT ==> ledger_word_ok(ledger_record(cpu, ledger), what) &&
      ledger_word_ok(ledger_record(cpu, child), what);
    requires own_parent: ledger_record(cpu, child)->parent == ledger ==> ledger != child;
    terminates \true;
    exits   \false;
    assigns ledger_record(cpu, ledger)->available[what],
            ledger_record(cpu, ledger)->donated[what],
            ledger_record(cpu, child)->available[what],
            ledger_record(cpu, child)->limit[what];
    ensures live: ledger_live(cpu, ledger) && ledger_live(cpu, child);
    ensures 0 <= what < CAD_RESOURCE_COUNT ==> ledger_word_ok(ledger_record(cpu, ledger), what) &&
      ledger_word_ok(ledger_record(cpu, child), what);
    ensures \result == CAD_OK || \result == CAD_INVALID || \result == CAD_UNCHARGED;
    behavior stranger:
      assumes !(0 <= what < CAD_RESOURCE_COUNT) || ledger_record(cpu, child)->parent != ledger;
      assigns \nothing;
      ensures \result == CAD_INVALID;
    behavior in_use:
      assumes 0 <= what < CAD_RESOURCE_COUNT && ledger_record(cpu, child)->parent == ledger;
      assumes ledger_record(cpu, child)->available[what] < amount;
      ensures \result == CAD_UNCHARGED;
      ensures unchanged: ledger_record(cpu, ledger)->available[what] ==
        \old(ledger_record(cpu, ledger)->available[what]);
      ensures unchanged: ledger_record(cpu, child)->available[what] ==
        \old(ledger_record(cpu, child)->available[what]);
      ensures unchanged: ledger_record(cpu, ledger)->donated[what] ==
        \old(ledger_record(cpu, ledger)->donated[what]);
      ensures unchanged: ledger_record(cpu, child)->limit[what] ==
        \old(ledger_record(cpu, child)->limit[what]);
    behavior moved:
      assumes 0 <= what < CAD_RESOURCE_COUNT && ledger_record(cpu, child)->parent == ledger;
      assumes ledger_record(cpu, child)->available[what] >= amount;
      ensures \result == CAD_OK;
      ensures giver: ledger_record(cpu, ledger)->available[what] ==
        \old(ledger_record(cpu, ledger)->available[what]) + amount;
      ensures giver: ledger_record(cpu, ledger)->donated[what] ==
        \old(ledger_record(cpu, ledger)->donated[what]) - amount;
      ensures child: ledger_record(cpu, child)->limit[what] ==
        \old(ledger_record(cpu, child)->limit[what]) - amount;
      ensures child: ledger_record(cpu, child)->available[what] ==
        \old(ledger_record(cpu, child)->available[what]) - amount;
      ensures use_stays: ledger_in_use(ledger_record(cpu, ledger), what) ==
        \old(ledger_in_use(ledger_record(cpu, ledger), what));
      ensures use_stays: ledger_in_use(ledger_record(cpu, child), what) ==
        \old(ledger_in_use(ledger_record(cpu, child), what));
    complete behaviors;
    disjoint behaviors;
*/
status_t ledger_take_back(struct core_cpu *cpu, uint32_t ledger, uint32_t child,
                          enum cad_resource what, uint64_t amount)
{
    struct ledger *to = ledger_at(cpu, ledger), *from = ledger_at(cpu, child);

    if ((unsigned)what >= CAD_RESOURCE_COUNT || from->parent != ledger)
        return CAD_INVALID;
    //@ assert apart: \separated(from, to);
    if (FAULT_POINT(cpu, word_take, CAD_UNCHARGED) ||
        !word_take(&from->available[what], amount))
        return CAD_UNCHARGED;
    CHECK_VALUE(from->limit[what] >= amount && to->donated[what] >= amount, child);
    atomic_store_release(&from->limit[what], from->limit[what] - amount);
    atomic_store_release(&to->donated[what], to->donated[what] - amount);
    (void)atomic_fetch_add(&to->available[what], amount);
    return CAD_OK;
}

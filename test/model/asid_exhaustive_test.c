// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every state of one CPU's two tags and three spaces of two pages, by sequences of any
 * length: a search, breadth first (TL2).
 *
 * The model is of the CPU: under each tag it holds of each page nothing, what is true, or
 * what is not any more.  The space that it is in it may look up at any time; other CPUs
 * change pages of any space, which they tell it only while it is in that space, and it may
 * answer later; it changes pages itself; spaces end and others get their record, with
 * another name.  What is not true may be there under the current tag only before the CPU
 * has answered, whatever it held under the tag before.
 *
 * Counts of changes matter only by whether a tag has seen the last one, names of spaces
 * that ended not at all: so the states are few.
 */
#define ASID_TAGS 2
#include "core/asid.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test_world.h" /* assert_failed */

#define SPACES     3
#define PAGES      2
#define DEAD       (SPACES + 1) /* a tag's space in a state's number: one that ended */
#define NAME_DEAD  UINT64_C(100) /* and its tag's index */
#define NAME_NEW   UINT64_C(200)
#define CHANGES    UINT64_C(10) /* of each space, when a state is taken up again */
#define STATES_MAX (2u * 3 * 2 * 90 * 90)

enum hold { NOTHING, TRUE, STALE };

struct world {
    struct asid_cpu cpu;
    enum hold holds[ASID_TAGS][PAGES];
    bool asked; /* to drop what it holds of the space that it was in */
    uint64_t names[SPACES], changes[SPACES];
};

static struct world now;
static uint8_t seen[STATES_MAX];
static uint32_t queue[STATES_MAX], queue_first, queue_last;
static uint64_t steps, kept, dropped, parts;

/* --- states --- */

static uint32_t space_of(uint64_t name)
{
    for (uint32_t s = 0; s < SPACES; s++) {
        if (now.names[s] == name)
            return s;
    }
    return SPACES;
}

static uint32_t tag_number(uint32_t t)
{
    const struct asid_tag *tag = &now.cpu.tags[t];
    uint32_t s = space_of(tag->space);
    uint32_t number = tag->space == 0 ? 0 : s < SPACES ? s + 1 : DEAD;
    bool saw_all = s < SPACES && tag->changes == now.changes[s];

    number = number * 2 + saw_all;
    return (number * 3 + now.holds[t][0]) * 3 + now.holds[t][1];
}

static uint32_t world_number(void)
{
    uint32_t number = tag_number(0) * 90 + tag_number(1);

    return ((number * 3 + now.cpu.current) * 2 + now.cpu.next) * 2 + now.asked;
}

static void tag_take_up(uint32_t t, uint32_t number)
{
    uint32_t space = number / 18;

    now.holds[t][1] = (enum hold)(number % 3);
    now.holds[t][0] = (enum hold)(number / 3 % 3);
    now.cpu.tags[t].changes = number / 9 % 2 != 0 ? CHANGES : CHANGES - 1;
    now.cpu.tags[t].space = space == 0 ? 0 : space == DEAD ? NAME_DEAD + t : now.names[space - 1];
}

static void take_up(uint32_t number)
{
    memset(&now, 0, sizeof(now));
    for (uint32_t s = 0; s < SPACES; s++) {
        now.names[s] = s + 1;
        now.changes[s] = CHANGES;
    }
    now.asked = number % 2 != 0;
    now.cpu.next = number / 2 % 2;
    now.cpu.current = number / 4 % 3;
    tag_take_up(1, number / 12 % 90);
    tag_take_up(0, number / 12 / 90);
}

/* The space that the CPU is in, SPACES: none. */
static uint32_t here(void)
{
    return now.cpu.current == ASID_NONE ? SPACES
                                        : space_of(now.cpu.tags[now.cpu.current - 1].space);
}

static void arrive(void)
{
    uint32_t number = world_number();

    steps++;
    assert_true(now.cpu.next < ASID_TAGS && now.cpu.current <= ASID_TAGS);
    assert_true(now.cpu.tags[0].space != now.cpu.tags[1].space || now.cpu.tags[0].space == 0);
    assert_true(now.cpu.current == ASID_NONE || here() < SPACES);
    for (uint32_t page = 0; page < PAGES && here() < SPACES; page++)
        assert_true(now.asked || now.holds[now.cpu.current - 1][page] != STALE);
    if (seen[number])
        return;
    seen[number] = 1;
    queue[queue_last++] = number;
}

/* --- steps --- */

static void drop_all(void)
{
    memset(now.holds[now.cpu.current - 1], 0, sizeof(now.holds[0]));
}

static void step_enter(uint32_t s)
{
    struct world before = now;

    if (here() == s)
        return;
    struct asid_entry entry = asid_enter(&now.cpu, now.names[s], now.changes[s]);
    const struct asid_tag *old = &before.cpu.tags[entry.tag - 1];
    /* Kept exactly if nothing was changed since. */
    assert_int_equal(entry.keeps,
                     old->space == now.names[s] && old->changes == now.changes[s]);
    if (!entry.keeps)
        drop_all();
    assert_int_equal(now.cpu.tags[entry.tag - 1].changes, now.changes[s]);
    kept += entry.keeps;
    dropped += !entry.keeps;
    arrive();
}

static void step_leave(void)
{
    asid_leave(&now.cpu);
    arrive();
}

static void step_look_up(uint32_t page)
{
    if (here() == SPACES)
        return;
    if (now.holds[now.cpu.current - 1][page] == NOTHING)
        now.holds[now.cpu.current - 1][page] = TRUE;
    arrive();
}

/* Gives: the number of the change. */
static uint64_t change(uint32_t s, uint32_t page)
{
    for (uint32_t t = 0; t < ASID_TAGS; t++) {
        if (now.cpu.tags[t].space == now.names[s] && now.holds[t][page] == TRUE)
            now.holds[t][page] = STALE;
    }
    return ++now.changes[s];
}

static void step_changed_elsewhere(uint32_t s, uint32_t page)
{
    (void)change(s, page);
    now.asked |= here() == s;
    arrive();
}

static void step_changes_page(uint32_t page)
{
    if (here() == SPACES)
        return;
    uint64_t number = change(here(), page);
    now.holds[now.cpu.current - 1][page] = NOTHING;
    parts += now.cpu.tags[now.cpu.current - 1].changes == number - 1;
    asid_flush_part(&now.cpu, number);
    arrive();
}

static void step_changes_all(void)
{
    if (here() == SPACES)
        return;
    (void)change(here(), 0);
    uint64_t number = change(here(), 1);
    drop_all();
    asid_flush(&now.cpu, number);
    arrive();
}

static void step_answers(void)
{
    if (!now.asked)
        return;
    if (here() < SPACES) {
        asid_flush(&now.cpu, now.changes[here()]);
        drop_all();
    }
    now.asked = false;
    arrive();
}

/* The space ends; its record is another's from now on. */
static void step_renew(uint32_t s)
{
    if (here() == s)
        return;
    for (uint32_t page = 0; page < PAGES; page++)
        (void)change(s, page);
    now.names[s] = NAME_NEW + s;
    now.changes[s] = CHANGES; /* counted on or not, as the name is new */
    arrive();
}

static void try_all(uint32_t from)
{
#define TRY(step) (take_up(from), step)
    for (uint32_t s = 0; s < SPACES; s++) {
        TRY(step_enter(s));
        TRY(step_renew(s));
        for (uint32_t page = 0; page < PAGES; page++)
            TRY(step_changed_elsewhere(s, page));
    }
    for (uint32_t page = 0; page < PAGES; page++) {
        TRY(step_look_up(page));
        TRY(step_changes_page(page));
    }
    TRY(step_changes_all());
    TRY(step_leave());
    TRY(step_answers());
#undef TRY
}

static void nothing_stale_is_used_after_the_answer(void **state)
{
    (void)state;
    take_up(0);
    arrive();
    while (queue_first < queue_last)
        try_all(queue[queue_first++]);
    printf("%u states, %llu steps; %llu entries kept all, %llu dropped all\n", queue_last,
           (unsigned long long)steps, (unsigned long long)kept, (unsigned long long)dropped);
    assert_true(kept > 0 && dropped > 0 && parts > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_stale_is_used_after_the_answer),
    };

    return cmocka_run_group_tests_name("asid_exhaustive", tests, NULL, NULL);
}

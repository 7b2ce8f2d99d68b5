// SPDX-License-Identifier: BSD-2-Clause
/*
 * No write lands in a frame that has a new owner, or in a page that is read-only now (TL1, TL2).
 *
 * Each writer fills one page by one long block of stores, over and over.  The page is
 * named by a word that is read once a block; before the main thread weakens a page, it
 * points the word at a page of its own.  So a writer touches a weakened page only by
 * stores of a block that had begun, through the translation its CPU then had: what
 * the round must wait for.
 *
 * An emulator takes interrupts between blocks of code alone, and with more CPUs than the
 * host has, a writer is mostly put aside in the middle of one.  On a machine that takes them
 * anywhere the rest of a block may fault, which ends the program: there it says nothing.
 */
#include "races.h"

#include <string.h>

enum { PAGES = 32, WRITERS_MAX = 7, BATCHES = 1, BLOCKS_SEEN = 2 };

static volatile uint64_t *volatile target; /* the page that writers fill */
static volatile uint32_t ended;
static struct racer writers[WRITERS_MAX];
static uint32_t writer_count;
static uint64_t pages, dummy;

/* One block: it lies in one page of code and has no branch. */
static void fill_target(uint64_t value)
{
    __asm__ volatile("jmp 1f\n"
                     ".balign 2048\n"
                     "1: movq %[target], %%rax\n"
                     ".set offset, 0\n"
                     ".rept 128\n"
                     "movq %[value], offset(%%rax)\n"
                     ".set offset, offset + 32\n"
                     ".endr\n"
                     :
                     : [target] "m"(target), [value] "r"(value)
                     : "rax", "memory");
}

static void fill(struct racer *self)
{
    while (ended == 0) {
        fill_target(self->rounds << 8 | self->word);
        self->rounds++;
    }
}

static uint64_t address_of(uint64_t page)
{
    return pages + page * PAGE_SIZE;
}

/* Every writer has begun and ended a block of this page. */
static void let_fill(uint64_t page)
{
    uint64_t seen[WRITERS_MAX];

    target = (volatile uint64_t *)address_of(page);
    for (uint32_t i = 0; i < writer_count; i++)
        seen[i] = writers[i].rounds;
    for (uint32_t i = 0; i < writer_count; i++) {
        while (writers[i].rounds < seen[i] + BLOCKS_SEEN)
            (void)cad_process_thread_yield(self_process);
    }
}

/* Gives: words that are not as in `as`, or not 0 if that is NULL. */
static uint64_t words_changed(const volatile uint64_t *page, const uint64_t *as)
{
    uint64_t changed = 0;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof *page; i++)
        changed += page[i] != (as != NULL ? as[i] : 0);
    return changed;
}

/* --- ways to weaken one page; each leaves something to look at later --- */

static uint64_t caught[PAGES]; /* pages that took the frames, or other views of the pages */
static uint64_t copies[PAGES][PAGE_SIZE / sizeof(uint64_t)];
static cap_id_t object;

/* The frame that was just given back is the first to be taken. */
static void catch_frame(uint64_t page)
{
    REQUIRE_OK(cad_virtual_memory_commit(self_memory, caught[page], 1,
                                         CAD_PROT_READ | CAD_PROT_WRITE, CAD_COMMIT_EAGER));
}

static void decommit(uint64_t page)
{
    REQUIRE_OK(cad_virtual_memory_decommit(self_memory, address_of(page), 1));
    catch_frame(page);
}

static void unmap(uint64_t page)
{
    REQUIRE_OK(cad_virtual_memory_unmap(self_memory, address_of(page), 1));
    catch_frame(page);
}

static void copy_page(uint64_t page, uint64_t from)
{
    memcpy(copies[page], (const void *)from, PAGE_SIZE);
}

static void protect(uint64_t page)
{
    REQUIRE_OK(cad_virtual_memory_protect(self_memory, address_of(page), 1, CAD_PROT_READ));
    copy_page(page, address_of(page));
}

static void unmap_object(uint64_t page)
{
    REQUIRE_OK(cad_memory_object_unmap(object, self_space, address_of(page), 1));
    copy_page(page, caught[page]);
}

/* --- batches --- */

static void prepare_anonymous(void)
{
    const uint32_t protection = CAD_PROT_READ | CAD_PROT_WRITE;
    uint64_t room = 0;

    pages = 0;
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, PAGES, protection, 0, &pages));
    REQUIRE_OK(cad_virtual_memory_commit(self_memory, pages, PAGES, protection,
                                         CAD_COMMIT_EAGER));
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, PAGES, protection, 0, &room));
    for (uint64_t page = 0; page < PAGES; page++)
        caught[page] = room + page * PAGE_SIZE;
}

static void end_anonymous(void)
{
    for (uint64_t page = 0; page < PAGES; page++)
        (void)cad_virtual_memory_unmap(self_memory, address_of(page), 1); /* or it is gone */
    REQUIRE_OK(cad_virtual_memory_unmap(self_memory, caught[0], PAGES));
}

static void prepare_object(void)
{
    uint64_t view = 0;

    pages = 0;
    REQUIRE_OK(cad_frame_allocator_allocate(frames, PAGES, &object));
    REQUIRE_OK(cad_memory_object_map(object, self_space, 0, 0, PAGES,
                                     CAD_PROT_READ | CAD_PROT_WRITE, CAD_MAP_POPULATE, &pages));
    REQUIRE_OK(cad_memory_object_map(object, self_space, 0, 0, PAGES, CAD_PROT_READ,
                                     CAD_MAP_POPULATE, &view));
    for (uint64_t page = 0; page < PAGES; page++)
        caught[page] = view + page * PAGE_SIZE;
}

static void end_object(void)
{
    REQUIRE_OK(cad_memory_object_unmap(object, self_space, caught[0], PAGES));
    REQUIRE_OK(cad_cap_table_delete(self_table, object));
}

static const struct way {
    void (*prepare)(void), (*weaken)(uint64_t page), (*end)(void);
    bool is_copied; /* what is looked at must not change; else it is a fresh frame, and zero */
    bool stays;     /* the page itself is looked at, else what is in caught[] */
} ways[] = {
    {prepare_anonymous, decommit, end_anonymous, false, false},
    {prepare_anonymous, unmap, end_anonymous, false, false},
    {prepare_anonymous, protect, end_anonymous, true, true},
    {prepare_object, unmap_object, end_object, true, false},
};

static void batch(const struct way *way, uint64_t *random)
{
    uint64_t touched = 0;

    way->prepare();
    for (uint64_t page = 0; page < PAGES; page++) {
        let_fill(page);
        spin(random_next(random) % 300);
        __atomic_store_n(&target, (volatile uint64_t *)dummy, __ATOMIC_SEQ_CST);
        way->weaken(page);
    }
    for (uint64_t page = 0; page < PAGES; page++)
        touched += words_changed(
            (const volatile uint64_t *)(way->stays ? address_of(page) : caught[page]),
            way->is_copied ? copies[page] : NULL);
    CHECK_EQUAL(touched, 0); /* words written by who had no page there any more */
    way->end();
}

void test_reused_frames(uint64_t times)
{
    const uint32_t protection = CAD_PROT_READ | CAD_PROT_WRITE;
    uint64_t random = now_ns() | 1;
    uint32_t cpus = cad_capset()->cpu_count;

    writer_count = cpus < 2 ? 1 : cpus - 1 < WRITERS_MAX ? cpus - 1 : WRITERS_MAX;
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, 1, protection, 0, &dummy));
    REQUIRE_OK(cad_virtual_memory_commit(self_memory, dummy, 1, protection, CAD_COMMIT_EAGER));
    target = (volatile uint64_t *)dummy;
    for (uint32_t i = 0; i < writer_count; i++) {
        writers[i].word = i + 1;
        writers[i].rounds = 0;
        racer_start(&writers[i], fill);
    }
    for (uint64_t i = 0; i < times * BATCHES; i++) {
        for (unsigned way = 0; way < sizeof ways / sizeof ways[0]; way++)
            batch(&ways[way], &random);
    }
    ended = 1;
    for (uint32_t i = 0; i < writer_count; i++)
        racer_join(&writers[i]);
    REQUIRE_OK(cad_virtual_memory_unmap(self_memory, dummy, 1));
}

// SPDX-License-Identifier: BSD-2-Clause
/* The running half of arch/mmu.h. */
#include "arch/mmu.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "instructions.h"
#include "registers.h"

#define LEVEL_SHIFT(level) (PAGE_SHIFT + MMU_INDEX_BITS * (level))
#define ROOT_LEVEL         (MMU_LEVELS - 1)
#define KERNEL_HALF_INDEX  (MMU_TABLE_ENTRIES / 2)
#define PAGE_WORDS         (PAGE_SIZE / sizeof(uint64_t))

#define USER_READ    (ENTRY_PRESENT | ENTRY_USER | ENTRY_NO_EXECUTE)
#define USER_WRITE   (USER_READ | ENTRY_WRITE)
#define USER_EXECUTE (ENTRY_PRESENT | ENTRY_USER)

/* By protection; WRITE with EXECUTE has no spelling (AS3). */
static const struct mmu_format format = {
    .table = ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER,
    .page = {
        [CAD_PROT_READ] = USER_READ,
        [CAD_PROT_WRITE] = USER_WRITE,
        [CAD_PROT_READ | CAD_PROT_WRITE] = USER_WRITE,
        [CAD_PROT_EXECUTE] = USER_EXECUTE,
        [CAD_PROT_READ | CAD_PROT_EXECUTE] = USER_EXECUTE,
    },
    .block = {
        [CAD_PROT_READ] = USER_READ | ENTRY_LARGE,
        [CAD_PROT_WRITE] = USER_WRITE | ENTRY_LARGE,
        [CAD_PROT_READ | CAD_PROT_WRITE] = USER_WRITE | ENTRY_LARGE,
        [CAD_PROT_EXECUTE] = USER_EXECUTE | ENTRY_LARGE,
        [CAD_PROT_READ | CAD_PROT_EXECUTE] = USER_EXECUTE | ENTRY_LARGE,
    },
    .accessed = ENTRY_ACCESSED,
    .dirty = ENTRY_DIRTY,
};

COMPILE_ASSERT(MMU_PRESENT == ENTRY_PRESENT, present_is_bit_0);

bool mmu_has_tags;

const struct mmu_format *mmu_format(void)
{
    return &format;
}

void mmu_root_init(frame_no_t root)
{
    const uint64_t *from = frame_pointer(mmu_kernel_root());
    const unsigned count = MMU_TABLE_ENTRIES - KERNEL_HALF_INDEX;
    __builtin_memcpy((uint64_t *)frame_pointer(root) + KERNEL_HALF_INDEX,
                     from + KERNEL_HALF_INDEX, count * sizeof(*from));
}

void mmu_flush_page(virt_addr_t address)
{
    page_invalidate(address);
}

void mmu_flush_user(void)
{
    cr3_write(cr3_read());
}

bool mmu_kernel_map(uint64_t address, frame_no_t frame, frame_no_t (*take_table)(void))
{
    CHECK_VALUE(address >= POOL_BASE && address < POOL_BASE + POOL_SPANS * POOL_SPAN_BYTES,
                address);
    uint64_t *table = frame_pointer(mmu_kernel_root());
    for (unsigned level = ROOT_LEVEL; level > 0; level--) {
        uint64_t *entry = &table[address >> LEVEL_SHIFT(level) & (MMU_TABLE_ENTRIES - 1)];
        if ((*entry & ENTRY_PRESENT) == 0) {
            frame_no_t lower = take_table();
            if (lower == FRAME_NONE)
                return false;
            /* Release: a walker that sees the table sees its zeroes. */
            atomic_store_release(entry, frame_address(lower) | ENTRY_PRESENT | ENTRY_WRITE);
        }
        table = frame_pointer(address_frame(*entry & MMU_ADDRESS_MASK));
    }
    uint64_t *entry = &table[address >> PAGE_SHIFT & (MMU_TABLE_ENTRIES - 1)];
    CHECK_VALUE(*entry == 0, address);
    atomic_store_release(entry, frame_address(frame) | ENTRY_PRESENT | ENTRY_WRITE |
                                    ENTRY_GLOBAL | ENTRY_ACCESSED | ENTRY_DIRTY |
                                    ENTRY_NO_EXECUTE);
    return true;
}

void pages_clear(frame_no_t first, uint32_t count)
{
    void *to = frame_pointer(first);
    uint64_t words = (uint64_t)count * PAGE_WORDS;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(0) : "memory");
}

void page_copy(frame_no_t to, frame_no_t from)
{
    void *target = frame_pointer(to), *source = frame_pointer(from);
    uint64_t count = PAGE_WORDS;
    __asm__ volatile("rep movsq" : "+D"(target), "+S"(source), "+c"(count)::"memory");
}

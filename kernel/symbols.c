// SPDX-License-Identifier: BSD-2-Clause
/* The table is sorted by address; the last one at or below is the answer. */
#include "kernel/symbols.h"

#include "base/print.h"

struct kernel_symbol {
    uint64_t address;
    uint64_t name_offset;
};

extern const uint64_t kernel_symbol_count;
extern const struct kernel_symbol kernel_symbol_table[];
extern const char kernel_symbol_names[];

/* The linker script's ends of code: beyond them the last name would fit anything. */
extern const char image_text_start[], image_text_end[];

const char *symbol_find(uint64_t address, uint64_t *offset_bytes)
{
    if (address < (uint64_t)image_text_start || address >= (uint64_t)image_text_end)
        return NULL;
    uint64_t low = 0, high = kernel_symbol_count; /* answer in [low, high), if any */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (kernel_symbol_table[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const struct kernel_symbol *symbol = &kernel_symbol_table[low - 1];
    *offset_bytes = address - symbol->address;
    return kernel_symbol_names + symbol->name_offset;
}

void print_symbol(uint64_t address)
{
    uint64_t offset_bytes;
    const char *name = symbol_find(address, &offset_bytes);
    if (name == NULL)
        print("0x%lx", address);
    else
        print("%s+0x%lx", name, offset_bytes);
}

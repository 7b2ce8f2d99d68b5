// SPDX-License-Identifier: BSD-2-Clause
/* From a Linux system call number to the function that serves it. */
#include <errno.h>

#include "linux_names.h"
#include "served.h"

#define NUMBERS_MAX 512

typedef long (*call_function)(struct linux_registers *r);

static const call_function functions[NUMBERS_MAX] = {
#define SERVED_ENTRY(name, function, limits) [LINUX_##name] = function,
    SERVED_LIST(SERVED_ENTRY)
#undef SERVED_ENTRY
};

static const char *call_name(uint64_t number)
{
#define CASE(name, number)                                                                         \
    case number:                                                                                   \
        return #name;
    switch (number) {
        LINUX_CALL_LIST(CASE)
    }
#undef CASE
    return "of no known name";
}

long refuse_call(uint64_t number)
{
    static _Atomic uint64_t said[NUMBERS_MAX / 64 + 1];
    uint64_t slot = number < NUMBERS_MAX ? number : NUMBERS_MAX;
    uint64_t bit = UINT64_C(1) << (slot % 64);
    char line[128];
    size_t used;

    if ((atomic_fetch_or(&said[slot / 64], bit) & bit) == 0) {
        used = text_append(line, sizeof(line), 0, "rt: Linux system call ");
        used = text_append_number(line, sizeof(line), used, number);
        used = text_append(line, sizeof(line), used, " (");
        used = text_append(line, sizeof(line), used, call_name(number));
        used = text_append(line, sizeof(line), used, ") is not served\n");
        (void)console_write(line, used);
    }
    return -ENOSYS;
}

void linux_call(struct linux_registers *registers)
{
    uint64_t number = registers->number;
    call_function function = number < NUMBERS_MAX ? functions[number] : NULL;

    registers->number =
        (uint64_t)(function != NULL ? function(registers) : refuse_call(number));
}

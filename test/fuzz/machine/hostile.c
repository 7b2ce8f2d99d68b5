// SPDX-License-Identifier: BSD-2-Clause
/* An argument is what its name in abi/methods.h says, but for one in sixteen. */
#include "test/fuzz/machine/hostile.h"

#include "abi/spawn.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "test/fuzz/machine/machine.h"
#include "test/fuzz/machine/system.h"

#define SEEN_COUNT  16
#define TOKEN_COUNT 4

struct input input;
static uint64_t seen[SEEN_COUNT]; /* words that calls gave */
static unsigned seen_next;
static uint64_t tokens[TOKEN_COUNT]; /* of calls to be replied to */
static unsigned tokens_next;

/* --- methods and the names of their arguments --- */

struct method {
    uint32_t interface, number;
    const char *inputs; /* "IN(a, b)" */
};

#define METHOD_ROW(INTERFACE, interface, method, number, right, in, out, meaning)                  \
    {CAD_INTERFACE_##INTERFACE, number, #in},
static const struct method methods[] = {CAD_METHOD_LIST(METHOD_ROW)};
#undef METHOD_ROW

/* The text from the name of argument `index` on; "" if it has none. */
static const char *argument_name(const char *inputs, unsigned index)
{
    const char *name = strchr(inputs, '(') + 1;

    while (index > 0 && name != NULL) {
        name = strchr(name, ',');
        name = name != NULL ? name + 2 : NULL;
        index--;
    }
    return name != NULL && *name != ')' ? name : "";
}

static bool name_has(const char *name, const char *part)
{
    size_t length = strcspn(name, ",)"), part_length = strlen(part);

    for (size_t i = 0; i + part_length <= length; i++) {
        if (memcmp(name + i, part, part_length) == 0)
            return true;
    }
    return false;
}

/* --- words --- */

uint64_t word_edge(void)
{
    uint8_t choice = input_byte(&input);

    switch (choice & 7) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return UINT64_C(1) << (choice >> 3) << (choice & 32);
    case 3:
        return (UINT64_C(2) << (choice >> 3) << (choice & 32)) - 1;
    case 4:
    case 5:
        return seen[(choice >> 3) % SEEN_COUNT] + (choice & 4 ? 0 : choice >> 7);
    default:
        return input_take(&input, 8);
    }
}

/* Where an object is mapped in the process, or 0. */
static uint64_t mapped_address(const struct process *process, uint8_t n)
{
    uint32_t mapping = cadastre.spaces.spaces[process->space].mappings;

    for (; mapping != ID_NONE && n > 0; n--)
        mapping = cadastre.mappings.mappings[mapping].space_next;
    return mapping != ID_NONE ? cadastre.mappings.mappings[mapping].address : 0;
}

uint64_t word_address(const struct thread *thread)
{
    static const uint64_t places[] = {0, SYSTEM_ARENA, SYSTEM_ARENA, SYSTEM_ARENA,
        CAD_STACK_TOP - PAGE_SIZE, CAD_CAPSET_ADDRESS, CAD_RUNTIME_BASE,
        CAD_USER_END - 2 * PAGE_SIZE, CAD_SYSTEM_BASE - 4 * PAGE_SIZE, 0x40000000};
    uint8_t place = input_byte(&input), page = input_byte(&input);
    uint64_t base = places[(place & 15) % ARRAY_COUNT(places)];

    if ((place & 15) >= ARRAY_COUNT(places))
        base = (place & 15) == 15 ? thread->ring_address : seen[page % SEEN_COUNT];
    if ((place & 15) == 14)
        base = mapped_address(thread->process, page >> 6);
    if (base == 0)
        return 0;
    return base + (uint64_t)(page & 63) * PAGE_SIZE + (place & 0x80 ? input_byte(&input) * 8 : 0);
}

uint64_t word_capability(const struct thread *thread, uint32_t interface)
{
    return system_capability(thread->process, interface, input_byte(&input));
}

static uint64_t word_deadline(void)
{
    uint8_t choice = input_byte(&input);

    if (choice < 64)
        return 0;
    return choice < 192 ? machine_now_ns + choice * UINT64_C(10000) : CAD_DEADLINE_FOREVER;
}

static uint64_t word_bytes(void)
{
    static const uint64_t sizes[] = {1, 8, 16, 64, 200, 256, 257, PAGE_SIZE,
        PAGE_SIZE + 1, 2 * PAGE_SIZE, 16384, 16385, sizeof(struct cad_spawn_request)};
    uint8_t choice = input_byte(&input);

    return choice & 0x80 ? sizes[(choice & 15) % ARRAY_COUNT(sizes)] : choice * UINT64_C(33);
}

/* What an argument of this name is meant to be. */
static uint64_t word_named(const struct thread *thread, const char *name)
{
    if (name_has(name, "space_cap"))
        return word_capability(thread, CAD_INTERFACE_ADDRESS_SPACE);
    if (name_has(name, "child_ledger_cap"))
        return word_capability(thread, CAD_INTERFACE_LEDGER);
    if (name_has(name, "cap"))
        return word_capability(thread, 0);
    if (name_has(name, "transfer")) {
        uint8_t choice = input_byte(&input);
        return CAD_TRANSFER(choice & 3, choice >> 4);
    }
    if (name_has(name, "address") || name_has(name, "buffer"))
        return word_address(thread);
    if (name_has(name, "deadline"))
        return word_deadline();
    if (name_has(name, "bytes"))
        return word_bytes();
    if (name_has(name, "alignment"))
        return UINT64_C(1) << (input_byte(&input) & 7);
    if (name_has(name, "protection") || name_has(name, "first_page"))
        return input_byte(&input) & 7;
    if (name_has(name, "flags"))
        return input_byte(&input) & 1;
    if (name_has(name, "rights"))
        return input_take(&input, 2) & CAD_RIGHT_ALL;
    if (name_has(name, "token"))
        return tokens[input_byte(&input) % TOKEN_COUNT];
    if (name_has(name, "expected"))
        return input_byte(&input) & 1;
    if (name_has(name, "priority"))
        return input_byte(&input) % 34;
    uint8_t small = input_byte(&input);
    return small < 160 ? small & 7 : small & 63;
}

static uint64_t word_for(const struct thread *thread, const char *name)
{
    if (*name == 0)
        return 0;
    return (input_byte(&input) & 15) == 15 ? word_edge() : word_named(thread, name);
}

/* --- the input --- */

void hostile_start(const uint8_t *data, size_t bytes)
{
    input = (struct input){data, bytes};
    memset(seen, 0, sizeof(seen));
    memset(tokens, 0, sizeof(tokens));
    seen_next = tokens_next = 0;
}

void hostile_see(uint64_t word)
{
    seen[seen_next++ % SEEN_COUNT] = word;
}

void hostile_see_token(uint64_t word)
{
    uint64_t last = tokens[(tokens_next - 1) % TOKEN_COUNT];

    if (word != 0 && word != CAD_DEADLINE_FOREVER && word != last)
        tokens[tokens_next++ % TOKEN_COUNT] = word;
}

/* By interface and number, which stay when methods are added: so seeds keep their meaning. */
static const struct method *method_choose(void)
{
    const struct method *fitting[CAD_METHOD_NUMBER_MAX];
    uint32_t interface = input_byte(&input) % CAD_INTERFACE_COUNT, count = 0;

    for (unsigned i = 0; i < ARRAY_COUNT(methods); i++) {
        if (methods[i].interface == interface)
            fitting[count++] = &methods[i];
    }
    uint8_t choice = input_byte(&input);
    return count != 0 ? fitting[choice % count] : &methods[choice % ARRAY_COUNT(methods)];
}

void hostile_call(const struct thread *thread, struct hostile_call *call)
{
    const struct method *method = method_choose();

    call->cap = word_capability(thread, method->interface);
    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        call->words[i] = word_for(thread, argument_name(method->inputs, i));
    if (call->cap == CAD_CAP_NONE)
        call->cap = word_edge();
    if (method->interface == CAD_INTERFACE_PARK_SPACE)
        hostile_see(call->words[0]); /* who unparks needs it again */
    call->call = CAD_CALL(method->interface, method->number);
}

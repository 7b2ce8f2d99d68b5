// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel itself against hostile programs: any method of abi/methods.h with any
 * arguments, calls that do not exist, faults, stores, interrupts, from two processes and
 * whatever they make, while any step that can run out does.  kernel/ runs as it is, on the
 * machine of test/fuzz/machine; after each input everything must be given back and the audit
 * clean.
 */
#include "abi/capset.h"
#include "abi/methods.h"
#include "abi/rights.h"
#include "abi/spawn.h"
#include "arch/trap.h"
#include "kernel/endpoint_message.h"
#include "kernel/process.h"
#include "test/fuzz/machine/hostile.h"
#include "test/fuzz/machine/machine.h"
#include "test/fuzz/machine/system.h"

#define STEPS_MAX 160

/* --- what a thread may do --- */

static void step_method(struct thread *thread)
{
    struct hostile_call call;

    hostile_call(thread, &call);
    system_call(thread, call.call, call.cap, call.words);
}

static void step_any_call(struct thread *thread)
{
    uint64_t words[CAD_MESSAGE_WORDS], call = input_take(&input, 2) | CAD_CALL_BASE;
    uint64_t cap = input_byte(&input) & 1 ? word_capability(thread, 0) : word_edge();

    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        words[i] = i < 4 ? word_edge() : 0;
    if (input_byte(&input) == 0xff)
        call = word_edge();
    system_call(thread, call, cap, words);
}

static void step_fault(struct thread *thread)
{
    uint8_t choice = input_byte(&input);
    struct fault fault = {.kind = FAULT_PAGE, .access = 1u << (choice & 1),
                          .present = (choice & 2) != 0};

    if (choice >= 0xf8)
        fault.kind = (enum fault_kind)((choice & 7) % (FAULT_OTHER + 1));
    if ((choice & 0xf0) == 0xe0)
        fault.access = CAD_PROT_EXECUTE;
    fault.address = (choice & 0xf0) == 0xd0 ? word_edge() : word_address(thread);
    kernel_user_fault(&thread->context, &fault);
}

/* Where the user would fault, nothing is stored. */
static void step_store(struct thread *thread)
{
    uint64_t word = word_edge(), address = word_address(thread);

    (void)system_poke(thread->process, address & ~UINT64_C(7), &word, sizeof(word));
}

/* A spawn request that is right but for what the input spoils. */
static void step_spawn(struct thread *thread)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {SYSTEM_ARENA, sizeof(struct cad_spawn_request)};
    cap_id_t archive = word_capability(thread, CAD_INTERFACE_MEMORY_OBJECT);
    struct cad_spawn_request request = {
        .program = {archive, system_program.offset, system_program.bytes},
        .runtime = {archive, system_runtime.offset, system_runtime.bytes},
        .strings_address = SYSTEM_ARENA + sizeof(request),
        .grants_address = SYSTEM_ARENA + 3 * PAGE_SIZE,
        .grant_count = input_byte(&input) & 3,
        .priority = CAD_PRIORITY_SAME,
        .limits = {400, 260, 0, 200 * 1024, 30, 2, 1, 1, 1},
        .name = "child",
    };
    uint8_t spoil = input_byte(&input);

    for (unsigned i = 0; i < request.grant_count; i++) {
        struct cad_spawn_grant grant = {.cap = word_capability(thread, 0), .role = CAD_ROLE_EXTRA,
                                        .rights = CAD_RIGHT_ALL, .move = input_byte(&input) & 1};
        (void)system_poke(thread->process, request.grants_address + i * sizeof(grant), &grant,
                          sizeof(grant));
    }
    if ((spoil & 0x80) != 0)
        ((uint64_t *)(void *)&request)[(spoil & 0x7f) % (sizeof(request) / 8)] = word_edge();
    (void)system_poke(thread->process, SYSTEM_ARENA, &request, sizeof(request));
    system_call(thread, CAD_CALL(CAD_INTERFACE_PROCESS_SPAWNER, 1),
                word_capability(thread, CAD_INTERFACE_PROCESS_SPAWNER), words);
}

static void step_time(struct thread *thread)
{
    machine_now_ns += UINT64_C(1) << (10 + input_byte(&input) % 14);
    kernel_timer();
}

static void step_console(struct thread *thread)
{
    char bytes[16];
    size_t count = input_byte(&input) % sizeof(bytes);

    memset(bytes, 'x', sizeof(bytes));
    kernel_console_input(bytes, count);
}

/* From now on the n-th step of each call, or page fault, that can run out does so; or all
 * from it on; or none. */
static void step_starve(struct thread *thread)
{
    uint8_t choice = input_byte(&input), n = choice >> 3;
    uint64_t count = (choice & 2) != 0 ? UINT64_MAX : 1;

    thread->starvation = (struct starvation){
        .what = (choice & 1) != 0 ? CAD_STARVE_FAULT : CAD_STARVE_CALL,
        .first = n < 16 ? n : 16 + (n - 16) * 4, /* a spawn has some seventy */
        .count = n != 0 ? count : 0};
}

static bool step(struct thread *thread)
{
    static void (*const rare[])(struct thread *) = {
        step_any_call, step_fault, step_fault, step_store, step_starve,
        step_spawn, step_time, step_console};

    if (input.left == 0)
        return false;
    hostile_see(context_word(&thread->context, 0));
    hostile_see_token(context_word(&thread->context, TOKEN_WORD));
    uint8_t choice = input_byte(&input);
    if (choice < 160)
        step_method(thread);
    else
        rare[choice % ARRAY_COUNT(rare)](thread);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    hostile_start(data, bytes);
    system_begin((input_byte(&input) & 1) != 0);
    system_run(step, STEPS_MAX);
    system_end();
    return 0;
}

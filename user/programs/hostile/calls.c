// SPDX-License-Identifier: BSD-2-Clause
/*
 * Invocations that are wrong in every way: bad ids, stale ids, wrong types,
 * missing rights, bad buffers, every method with garbage.
 */
#include <stdio.h>
#include <string.h>

#include "abi/capset.h"
#include "abi/methods.h"
#include "abi/ring.h"
#include "abi/rights.h"
#include "abi/spawn.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"
#include "cadastre/status.h"
#include "hostile.h"

#define KERNEL_ADDRESS 0xffffffff80000000ull

struct method_row {
    uint32_t interface, number, right;
    const char *name;
};

#define METHOD_ROW(INTERFACE, interface, method, number, right, in, out, meaning)                  \
    { CAD_INTERFACE_##INTERFACE, number, CAD_RIGHT_##right, #interface "." #method },
static const struct method_row methods[] = { CAD_METHOD_LIST(METHOD_ROW) };

static int expect(const char *what, status_t found, status_t wanted)
{
    if (found == wanted)
        return 0;
    printf("  %s gave %s, expected %s\n", what, cad_status_name(found), cad_status_name(wanted));
    return 1;
}

static const struct cad_capset *capset(void)
{
    return (const struct cad_capset *)CAD_CAPSET_ADDRESS;
}

/* Any call with any ten words. */
struct words {
    uint64_t words[CAD_MESSAGE_WORDS];
};

static status_t raw(uint32_t call, cap_id_t cap, struct words *message)
{
    uint64_t badge;

    return cad_invoke_10(call, cap, message->words, &badge);
}

static uint32_t interface_of(uint32_t call)
{
    return (call >> 8) & 0xff;
}

/* Methods that end the caller, the audit, which is slow, and noise on the console:
 * not for garbage. */
static bool is_left_out(const struct method_row *method)
{
    static const uint32_t list[] = {
        CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_exit),
        CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_kill),
        CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_thread_exit),
        CAD_CALL(CAD_INTERFACE_INSPECTOR, CAD_METHOD_INSPECTOR_audit),
        CAD_CALL(CAD_INTERFACE_CONSOLE, CAD_METHOD_CONSOLE_write),
    };
    uint32_t call = CAD_CALL(method->interface, method->number);

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (list[i] == call)
            return true;
    }
    return false;
}

/* A capability id whose generation never was: STALE for every method. AB3 */
static int stale_ids(void)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct words message = { 0 };
        uint32_t call = CAD_CALL(methods[i].interface, methods[i].number);
        cap_id_t self = cad_find(CAD_ROLE_SELF_PROCESS);

        wrong += expect(methods[i].name, raw(call, 0, &message), CAD_STALE);
        wrong += expect(methods[i].name, raw(call, ~0ull, &message), CAD_STALE);
        wrong += expect(methods[i].name, raw(call, self + (1ull << 24), &message),
                        CAD_STALE);
        wrong += expect(methods[i].name, raw(call, (1 << 24) - 1, &message), CAD_STALE);
    }
    return wrong;
}

/* Each method on a capability of each other interface. AB3 */
static int wrong_types(void)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        for (uint32_t k = 0; k < capset()->count; k++) {
            const struct cad_capset_entry *entry = &capset()->entries[k];
            struct words message = { 0 };

            if (entry->interface == methods[i].interface)
                continue;
            wrong += expect(methods[i].name,
                            raw(CAD_CALL(methods[i].interface, methods[i].number),
                                       entry->cap, &message),
                            CAD_WRONG_TYPE);
        }
    }
    return wrong;
}

/* Makes one capability of `interface` without any right but READ or DERIVE; 0 if it cannot. */
static cap_id_t powerless(uint32_t interface, uint32_t right)
{
    cap_id_t table = cad_find(CAD_ROLE_SELF_TABLE), derived = 0, made = 0;
    cap_id_t ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    uint32_t keep = CAD_RIGHT_ALL & ~right;

    for (uint32_t k = 0; k < capset()->count && made == 0; k++) {
        if (capset()->entries[k].interface == interface)
            made = capset()->entries[k].cap;
    }
    if (interface == CAD_INTERFACE_ENDPOINT)
        (void)cad_ledger_create_endpoint(ledger, &made);
    if (interface == CAD_INTERFACE_NOTIFICATION)
        (void)cad_ledger_create_notification(ledger, &made);
    if (interface == CAD_INTERFACE_UNTYPED)
        (void)cad_frame_allocator_allocate_untyped(cad_find(CAD_ROLE_FRAME_ALLOCATOR), 1, &made);
    if (interface == CAD_INTERFACE_MEMORY_OBJECT)
        (void)cad_frame_allocator_allocate(cad_find(CAD_ROLE_FRAME_ALLOCATOR), 1, &made);
    if (made == 0 || cad_cap_table_derive(table, made, keep, 0, &derived) != CAD_OK)
        return 0;
    return derived;
}

/* Each method on a capability that has every right but the one it needs. AB3 */
static int missing_rights(void)
{
    int wrong = 0, tried = 0;

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct words message = { 0 };
        cap_id_t cap;

        if (methods[i].right == CAD_RIGHT_NONE)
            continue;
        cap = powerless(methods[i].interface, methods[i].right);
        if (cap == 0)
            continue; /* no capability of this kind that may be derived */
        tried++;
        wrong += expect(methods[i].name,
                        raw(CAD_CALL(methods[i].interface, methods[i].number), cap,
                                   &message),
                        CAD_NO_RIGHT);
    }
    printf("  %d methods refused for a missing right\n", tried);
    return tried >= 30 ? wrong : 1;
}

/* Numbers that are no method. AB2 */
static int no_such_methods(void)
{
    int wrong = 0;

    for (uint32_t number = 0; number <= CAD_CALL_MASK; number += number < 0x2000 ? 1 : 251) {
        struct words message = { 0 };
        bool known = false;

        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
            uint32_t call = CAD_CALL(methods[i].interface, methods[i].number);

            known |= (call & CAD_CALL_MASK) == number;
        }
        if (!known)
            wrong += expect("unknown method",
                            raw(CAD_CALL_BASE | number, cad_find(CAD_ROLE_SELF_PROCESS),
                                       &message),
                            CAD_BAD_CALL);
    }
    return wrong;
}

/* Buffers the kernel must not touch on our word. AS5 */
static int bad_buffers(void)
{
    static const uint64_t addresses[] = {
        0, 8, KERNEL_ADDRESS, 0xffff800000001000ull, 0x7fffffffffffull, 0x800000000000ull,
        0x8000000000000000ull, ~0ull, CAD_USER_END - 8, CAD_USER_END,
    };
    cap_id_t console = cad_find(CAD_ROLE_CONSOLE), entropy = cad_find(CAD_ROLE_ENTROPY);
    cap_id_t inspector = cad_find(CAD_ROLE_INSPECTOR), spawner = cad_find(CAD_ROLE_SPAWNER);
    uint64_t count, next, extra;
    cap_id_t process;
    int wrong = 0;

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        uint64_t bad = addresses[i];

        wrong += expect("console.write", cad_console_write(console, bad, 64, &count),
                        CAD_BAD_ADDRESS);
        wrong += expect("entropy.fill", cad_entropy_fill(entropy, bad, 64), CAD_BAD_ADDRESS);
        wrong += expect("inspector.read",
                        cad_inspector_read(inspector, 1, 0, bad, 4096, 0, &count, &next),
                        CAD_BAD_ADDRESS);
        wrong += expect("inspector.audit",
                        cad_inspector_audit(inspector, bad, 4096, &count, &next, &extra),
                        CAD_BAD_ADDRESS);
        wrong += expect("spawn", cad_process_spawner_spawn(spawner, bad,
                                                           sizeof(struct cad_spawn_request),
                                                           &process),
                        CAD_BAD_ADDRESS);
    }
    wrong += expect("entropy to the CapSet", cad_entropy_fill(entropy, CAD_CAPSET_ADDRESS, 64),
                    CAD_BAD_ADDRESS);
    wrong += expect("entropy to text",
                    cad_entropy_fill(entropy, (uint64_t)(uintptr_t)&bad_buffers, 64),
                    CAD_BAD_ADDRESS);
    return wrong;
}

/* An id that was valid, used after delete and after revoke. CP1 CP2 */
static int used_after_delete(void)
{
    cap_id_t table = cad_find(CAD_ROLE_SELF_TABLE), ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    cap_id_t root, child, grandchild, again;
    int wrong = 0;

    if (cad_ledger_create_notification(ledger, &root) != CAD_OK ||
        cad_cap_table_derive(table, root, CAD_RIGHT_ALL, 0, &child) != CAD_OK ||
        cad_cap_table_derive(table, child, CAD_RIGHT_ALL & ~CAD_RIGHT_WAIT, 0, &grandchild) !=
            CAD_OK)
        return 1;
    wrong += expect("signal", cad_notification_signal(grandchild, 4), CAD_OK);
    wrong += expect("derive wider than the source",
                    cad_cap_table_derive(table, grandchild, CAD_RIGHT_ALL, 0, &again), CAD_OK);
    wrong += expect("wait without the right", cad_notification_wait(again, 0, &again),
                    CAD_NO_RIGHT);
    wrong += expect("revoke", cad_cap_table_revoke(table, root), CAD_OK);
    wrong += expect("signal after revoke", cad_notification_signal(grandchild, 1), CAD_STALE);
    wrong += expect("signal after revoke", cad_notification_signal(child, 1), CAD_STALE);
    wrong += expect("the root lives", cad_notification_signal(root, 1), CAD_OK);
    wrong += expect("delete", cad_cap_table_delete(table, root), CAD_OK);
    wrong += expect("signal after delete", cad_notification_signal(root, 1), CAD_STALE);
    wrong += expect("delete again", cad_cap_table_delete(table, root), CAD_STALE);
    /* The slot is reused; the old id still names nothing. */
    if (cad_ledger_create_notification(ledger, &again) != CAD_OK)
        return 1;
    wrong += expect("signal through an old id", cad_notification_signal(root, 1), CAD_STALE);
    return wrong;
}

/* What may not leave the process does not. VM4 */
static int smuggle(void)
{
    static const uint32_t roles[] = { CAD_ROLE_SELF_MEMORY, CAD_ROLE_SELF_SPACE };
    int wrong = 0;

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        struct cad_spawn_grant grant = { .cap = cad_find(roles[i]),
                                         .role = CAD_ROLE_EXTRA,
                                         .rights = CAD_RIGHT_ALL };
        struct cad_program program = { .path = "hostile", .grants = &grant, .grant_count = 1 };
        cap_id_t process;

        cad_default_limits(program.limits);
        wrong += expect("spawn", cad_spawn(&program, &process), CAD_NOT_TRANSFERABLE);
    }
    return wrong;
}

static uint64_t garbage_word(void)
{
    static char buffer[256];
    uint64_t choice = noise();

    switch (choice % 12) {
    case 0: return 0;
    case 1: return 1;
    case 2: return ~0ull;
    case 3: return choice >> 32;
    case 4: return noise();
    case 5: return (uint64_t)(uintptr_t)buffer;
    case 6: return CAD_CAPSET_ADDRESS + (choice >> 40) % 8192;
    case 7: return KERNEL_ADDRESS;
    case 8: return capset()->entries[(choice >> 8) % capset()->count].cap;
    case 9: return (noise() & CAD_USER_END) & ~0xfffull;
    case 10: return (choice >> 20) % 64;
    default: return 1ull << ((choice >> 8) % 64);
    }
}

/* Every method of every type with garbage, on capabilities that fit and on some that do not.
 * Deadlines are past, so that nothing waits. The child may well destroy itself. */
static int garbage(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        const struct method_row *method = &methods[noise() % (sizeof methods / sizeof methods[0])];
        const struct cad_capset_entry *entry = &capset()->entries[noise() % capset()->count];
        struct words message;
        uint32_t call = CAD_CALL(method->interface, method->number);

        if (is_left_out(method))
            continue;
        for (unsigned w = 0; w < CAD_MESSAGE_WORDS; w++)
            message.words[w] = garbage_word();
        for (unsigned k = 0; k < capset()->count && entry->interface != interface_of(call); k++)
            entry = &capset()->entries[k];
        if (method->interface == CAD_INTERFACE_CLOCK || method->interface == CAD_INTERFACE_THREAD)
            message.words[0] = 0;
        if (method->interface == CAD_INTERFACE_PROCESS ||
            method->interface == CAD_INTERFACE_NOTIFICATION)
            message.words[0] = i % 2;
        if (method->interface == CAD_INTERFACE_CONSOLE)
            message.words[2] = 0;
        if (method->interface == CAD_INTERFACE_PARK_SPACE)
            message.words[2] = 0;
        message.words[9] = 0;
        (void)raw(call, entry->cap, &message);
    }
    return 0;
}

const struct attack attacks_on_calls[] = {
    { "stale-ids", stale_ids, CAD_EXIT_STATUS, 0 },
    { "wrong-types", wrong_types, CAD_EXIT_STATUS, 0 },
    { "missing-rights", missing_rights, CAD_EXIT_STATUS, 0 },
    { "no-such-methods", no_such_methods, CAD_EXIT_STATUS, 0 },
    { "bad-buffers", bad_buffers, CAD_EXIT_STATUS, 0 },
    { "used-after-delete", used_after_delete, CAD_EXIT_STATUS, 0 },
    { "smuggle", smuggle, CAD_EXIT_STATUS, 0 },
    { "garbage-1", garbage, ATTACK_ANY_END, -1 },
    { "garbage-2", garbage, ATTACK_ANY_END, -1 },
    { "garbage-3", garbage, ATTACK_ANY_END, -1 },
    { "garbage-4", garbage, ATTACK_ANY_END, -1 },
    { NULL, NULL, 0, 0 },
};

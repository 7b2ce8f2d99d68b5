// SPDX-License-Identifier: BSD-2-Clause
#include "test/fuzz/machine/system.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/boot_archive.h"
#include "abi/capset.h"
#include "abi/inspect.h"
#include "abi/spawn.h"
#include "arch/trap.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"
#include "kernel/user_copy.h"
#include "test/fuzz/machine/machine.h"

#define CALL_PC      UINT64_C(0x400102)
#define RESTART_PC   (CALL_PC - 2)
#define NOTE         (CAD_STACK_TOP - 8 * PAGE_SIZE) /* init's memory for requests */
#define IDLE_TURNS   64
#define REAPER_TURNS 1000000
#define SLOTS_MAX    64

struct system_image system_program, system_runtime;

static struct thread *init_thread;
static struct process *init;
static cap_id_t boot_caps[SLOTS_MAX], archive_cap;
static unsigned boot_cap_count;
static uint64_t used_at_boot[CAD_RESOURCE_COUNT], pages_at_boot;

void system_expect(bool holds, const char *what, uint64_t value)
{
    if (holds)
        return;
    fprintf(stderr, "fuzzed system: %s (%llu, 0x%llx)\n", what, (unsigned long long)value,
            (unsigned long long)value);
    abort();
}

/* --- the archive: two programs of one page that nobody executes --- */

static void program_make(uint8_t *page)
{
    Elf64_Ehdr *head = (void *)page;
    Elf64_Phdr *parts = (void *)(page + sizeof(*head));

    *head = (Elf64_Ehdr){
        .e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = 0x800,
        .e_phoff = sizeof(*head), .e_ehsize = sizeof(*head), .e_phentsize = sizeof(*parts),
        .e_phnum = 2};
    memcpy(head->e_ident, ELFMAG, SELFMAG);
    head->e_ident[EI_CLASS] = ELFCLASS64;
    head->e_ident[EI_DATA] = ELFDATA2LSB;
    head->e_ident[EI_VERSION] = EV_CURRENT;
    parts[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = PAGE_SIZE,
                            .p_memsz = PAGE_SIZE, .p_align = PAGE_SIZE};
    parts[1] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x100,
                            .p_vaddr = 2 * PAGE_SIZE + 0x100, .p_paddr = 2 * PAGE_SIZE + 0x100,
                            .p_filesz = 0x100, .p_memsz = 2 * PAGE_SIZE, .p_align = PAGE_SIZE};
}

/* A header in front of each file's page, at the end of the page before. */
static void header_make(uint8_t *block, const char *name)
{
    struct cad_archive_header *header = (void *)block;
    unsigned sum = 0;

    memset(header, 0, sizeof(*header));
    snprintf(header->name, sizeof(header->name), "%s", name);
    snprintf(header->size, sizeof(header->size), "%011o", PAGE_SIZE);
    snprintf(header->mtime, sizeof(header->mtime), "%011o", 0);
    memcpy(header->magic, "ustar", sizeof("ustar"));
    memcpy(header->version, "00", sizeof(header->version));
    header->type = '0';
    memset(header->checksum, ' ', sizeof(header->checksum));
    for (unsigned i = 0; i < CAD_ARCHIVE_BLOCK; i++)
        sum += block[i];
    snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

/* Padding files bring each program's contents to a page border. */
static void padding_make(uint8_t *block, unsigned bytes)
{
    struct cad_archive_header *header = (void *)block;
    unsigned sum = 0;

    header_make(block, "pad");
    header->type = 'x';
    snprintf(header->size, sizeof(header->size), "%011o", bytes);
    memset(header->checksum, ' ', sizeof(header->checksum));
    for (unsigned i = 0; i < CAD_ARCHIVE_BLOCK; i++)
        sum += block[i];
    snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

static void archive_boot(void)
{
    static uint8_t archive[5 * PAGE_SIZE];
    const char *const names[] = {CAD_ARCHIVE_INIT, CAD_ARCHIVE_RUNTIME};

    for (unsigned i = 0; i < 2; i++) {
        uint8_t *page = archive + 2 * i * PAGE_SIZE;
        padding_make(page, PAGE_SIZE - 2 * CAD_ARCHIVE_BLOCK);
        header_make(page + PAGE_SIZE - CAD_ARCHIVE_BLOCK, names[i]);
        program_make(page + PAGE_SIZE);
    }
    system_program = (struct system_image){PAGE_SIZE, PAGE_SIZE};
    system_runtime = (struct system_image){3 * PAGE_SIZE, PAGE_SIZE};
    machine_boot(archive, sizeof(archive));
}

/* --- calls --- */

void system_trap(struct thread *thread)
{
    system_expect(this_cpu()->current == thread, "another thread runs", thread->id);
    thread->context.rip = CALL_PC;
    kernel_syscall(&thread->context);
}

void system_call(struct thread *thread, uint64_t call, uint64_t cap, const uint64_t *words)
{
    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        context_set_word(&thread->context, i, words[i]);
    context_set_badge(&thread->context, cap);
    context_set_status(&thread->context, call);
    system_trap(thread);
}

cap_id_t system_capability(const struct process *process, uint32_t interface, unsigned n)
{
    cap_id_t fitting[SLOTS_MAX];
    unsigned count = 0;

    if (process->table == ID_NONE)
        return CAD_CAP_NONE;
    uint32_t slot = cap_table_first(this_core(), process->table);
    for (; slot != ID_NONE && count < SLOTS_MAX; slot = cadastre.caps.slots[slot].table_next) {
        if (interface == 0 || cadastre.caps.slots[slot].object.interface == interface)
            fitting[count++] = cap_id(this_core(), slot);
    }
    return count > 0 ? fitting[n % count] : CAD_CAP_NONE;
}

bool system_poke(struct process *process, virt_addr_t address, const void *from, size_t bytes)
{
    return copy_to_user(process, address, from, bytes) == CAD_OK;
}

/* A call of init's, which runs; CAD_OK is expected.  Gives: its first result. */
static uint64_t init_call(uint32_t interface, uint32_t method, cap_id_t cap, uint64_t word0,
                          uint64_t word1)
{
    const uint64_t words[CAD_MESSAGE_WORDS] = {word0, word1};

    system_call(init_thread, CAD_CALL(interface, method), cap, words);
    (void)kernel_resume();
    while (init_thread->context.rip == RESTART_PC) {
        system_trap(init_thread);
        (void)kernel_resume();
    }
    status_t status = (status_t)context_call(&init_thread->context);
    system_expect(status == CAD_OK, "a call of init fails", interface << 16 | method << 8 | status);
    return context_word(&init_thread->context, 0);
}

static cap_id_t init_capability(uint32_t interface)
{
    return system_capability(init, interface, 0);
}

/* --- before an input --- */

static void boot_once(void)
{
    if (init_thread != NULL)
        return;
    archive_boot();
    (void)kernel_resume();
    init_thread = this_cpu()->current;
    init = init_thread->process;
    boot_cap_count = cadastre.caps.tables[init->table].count;
    for (unsigned i = 0; i < boot_cap_count; i++)
        boot_caps[i] = system_capability(init, 0, i);
    archive_cap = init_capability(CAD_INTERFACE_MEMORY_OBJECT); /* it has no other yet */
    /* The page of the request is there from now on. */
    system_expect(system_poke(init, NOTE, &init, sizeof(init)), "init has no stack", NOTE);
    while (reaper_run(16))
        ;
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
        used_at_boot[what] = ledger_used(&cadastre.ledgers.ledgers[root_ledger], what);
    pages_at_boot = memory_free_pages() + pool_pages_used;
}

static void limits_set(uint64_t *limits, bool is_tight)
{
    const uint64_t tight[CAD_RESOURCE_COUNT] = {600, 300, 1, 160 * 1024, 40, 2, 2, 2, 1};
    const uint64_t wide[CAD_RESOURCE_COUNT] = {1 << 20, 900, 16, 1 << 20, 200, 12, 16, 16, 8};

    memcpy(limits, is_tight ? tight : wide, sizeof(tight));
}

/* What each process gets of init's: everything, but no power over the machine. */
static unsigned grants_make(struct cad_spawn_grant *grants)
{
    unsigned count = 0;

    for (unsigned i = 0; i < cadastre.caps.tables[init->table].count; i++) {
        cap_id_t cap = system_capability(init, 0, i);
        uint32_t slot = (uint32_t)(cap & ((1u << CAD_CAP_SLOT_BITS) - 1));
        const struct cap_slot *from = &cadastre.caps.slots[slot];
        bool is_machine = from->object.interface == CAD_INTERFACE_MACHINE;
        if ((from->rights & CAD_RIGHT_TRANSFER) == 0 || count == CAD_SPAWN_GRANTS_MAX ||
            from->object.interface == CAD_INTERFACE_PROCESS ||
            from->object.interface == CAD_INTERFACE_LEDGER)
            continue;
        grants[count++] = (struct cad_spawn_grant){
            .cap = cap, .role = CAD_ROLE_EXTRA, .rights = is_machine ? CAD_RIGHT_READ
                                                                     : CAD_RIGHT_ALL};
    }
    return count;
}

static void arena_make(struct process *process)
{
    const uint32_t protection = CAD_PROT_READ | CAD_PROT_WRITE;
    virt_addr_t address = SYSTEM_ARENA;

    status_t status = space_reserve(this_core(), process->space, &address, SYSTEM_ARENA_PAGES,
                                    protection);
    if (status == CAD_OK)
        status = space_commit(this_core(), process->space, address, SYSTEM_ARENA_PAGES / 2,
                              protection, 0);
    system_expect(status == CAD_OK, "no arena", status);
}

static void process_spawn(bool is_tight)
{
    struct cad_spawn_grant grants[CAD_SPAWN_GRANTS_MAX];
    struct cad_spawn_request request = {
        .program = {archive_cap, system_program.offset, system_program.bytes},
        .runtime = {archive_cap, system_runtime.offset, system_runtime.bytes},
        .grants_address = NOTE + sizeof(request),
        .grant_count = grants_make(grants),
        .priority = 8,
        .name = "fuzz",
    };

    limits_set(request.limits, is_tight);
    system_expect(system_poke(init, NOTE, &request, sizeof(request)), "no request", 0);
    system_expect(system_poke(init, NOTE + sizeof(request), grants, sizeof(grants)), "no grants",
                  0);
    (void)init_call(CAD_INTERFACE_PROCESS_SPAWNER, CAD_METHOD_PROCESS_SPAWNER_spawn,
                    init_capability(CAD_INTERFACE_PROCESS_SPAWNER), NOTE, sizeof(request));
    for (uint32_t id = 1; id < processes.ids.capacity; id++) {
        struct process *process = &processes.processes[id];
        if (id_is_live(&processes.ids, id) && process != init &&
            space_entry(this_core(), process->space, SYSTEM_ARENA) == 0)
            arena_make(process);
    }
}

void system_begin(bool is_tight)
{
    boot_once();
    cap_id_t ledger = init_capability(CAD_INTERFACE_LEDGER);

    (void)init_call(CAD_INTERFACE_LEDGER, CAD_METHOD_LEDGER_create_endpoint, ledger, 0, 0);
    (void)init_call(CAD_INTERFACE_LEDGER, CAD_METHOD_LEDGER_create_notification, ledger, 0, 0);
    (void)init_call(CAD_INTERFACE_FRAME_ALLOCATOR, CAD_METHOD_FRAME_ALLOCATOR_allocate,
                    init_capability(CAD_INTERFACE_FRAME_ALLOCATOR), 3, 0);
    (void)init_call(CAD_INTERFACE_FRAME_ALLOCATOR, CAD_METHOD_FRAME_ALLOCATOR_allocate_untyped,
                    init_capability(CAD_INTERFACE_FRAME_ALLOCATOR), 8, 0);
    process_spawn(false);
    process_spawn(is_tight);
    scheduler_set_priority(init_thread, 0);
}

/* --- the run --- */

static void interrupt_if_due(void)
{
    if (machine_deadline_ns <= machine_now_ns) {
        machine_deadline_ns = UINT64_MAX;
        kernel_timer();
    }
}

void system_run(system_step step, unsigned steps)
{
    unsigned idle_turns = 0;

    while (steps > 0 && idle_turns < IDLE_TURNS) {
        (void)kernel_resume();
        struct thread *thread = this_cpu()->current;
        if (thread == init_thread) {
            if (machine_deadline_ns == UINT64_MAX && !reaper_has_work())
                break;
            idle_turns++;
            if (machine_deadline_ns != UINT64_MAX && machine_deadline_ns > machine_now_ns)
                machine_now_ns = machine_deadline_ns;
        } else {
            steps--;
            idle_turns = 0;
            if (thread->context.rip == RESTART_PC)
                system_trap(thread);
            else if (!step(thread))
                break;
        }
        interrupt_if_due();
    }
}

/* --- after it --- */

static void reap_all(void)
{
    for (unsigned i = 0; reaper_has_work(); i++) {
        system_expect(i < REAPER_TURNS, "the reaper has no end", i);
        (void)reaper_run(16);
    }
}

static void init_drop_new(void)
{
    cap_id_t table = init_capability(CAD_INTERFACE_CAP_TABLE);

    for (unsigned i = 0; i < cadastre.caps.tables[init->table].count;) {
        cap_id_t cap = system_capability(init, 0, i);
        bool is_old = false;
        for (unsigned k = 0; k < boot_cap_count; k++)
            is_old |= boot_caps[k] == cap;
        if (is_old)
            i++;
        else
            (void)init_call(CAD_INTERFACE_CAP_TABLE, CAD_METHOD_CAP_TABLE_delete, table, cap, 0);
    }
}

static void audit(void)
{
    struct cad_violation first = {0};

    uint64_t violations = init_call(CAD_INTERFACE_INSPECTOR, CAD_METHOD_INSPECTOR_audit,
                                    init_capability(CAD_INTERFACE_INSPECTOR), NOTE,
                                    sizeof(first));
    if (violations != 0 && copy_from_user(init, &first, NOTE, sizeof(first)) == CAD_OK)
        fprintf(stderr, "audit: %.48s: %.16s %llu: expected %llu, found %llu\n", first.what,
                first.kind, (unsigned long long)first.id, (unsigned long long)first.expected,
                (unsigned long long)first.found);
    system_expect(violations == 0, "violations found by the audit", violations);
}

void system_end(void)
{
    scheduler_set_priority(init_thread, PRIORITY_COUNT - 1);
    (void)kernel_resume();
    system_expect(this_cpu()->current == init_thread, "init does not run", 0);
    audit();
    for (uint32_t id = 1; id < processes.ids.capacity; id++) {
        struct process *process = &processes.processes[id];
        if (id_is_live(&processes.ids, id) && process != init)
            process_end(process, CAD_EXIT_KILLED, 0, 0);
    }
    reap_all();
    init_drop_new();
    reap_all();
    system_expect(processes.ids.live_count == 1, "processes left", processes.ids.live_count);
    system_expect(threads.ids.live_count == 1, "threads left", threads.ids.live_count);
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        uint64_t used = ledger_used(&cadastre.ledgers.ledgers[root_ledger], what);
        system_expect(used == used_at_boot[what], "a charge is left", what << 24 | used);
    }
    system_expect(memory_free_pages() + pool_pages_used == pages_at_boot, "frames left",
                  memory_free_pages());
}

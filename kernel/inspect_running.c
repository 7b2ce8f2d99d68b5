// SPDX-License-Identifier: BSD-2-Clause
/* Processes, threads, counters and the trace, for the inspector. */
#include "kernel/inspect_records.h"

#include "arch/timer.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/tlb.h"
#include "kernel/trace.h"

static void name_copy(char *to, const char *from, unsigned bytes)
{
    unsigned i = 0;

    for (; i + 1 < bytes && from[i] != '\0'; i++)
        to[i] = from[i];
    to[i] = '\0';
}

static uint32_t process_state(const struct process *process)
{
    if (process->phase == PROCESS_PHASE_RUNNING)
        return CAD_PROCESS_RUNNING;
    return process->phase == PROCESS_PHASE_ENDED ? CAD_PROCESS_ENDED : CAD_PROCESS_ENDING;
}

bool inspect_PROCESSES(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_process_info *out = &record->PROCESSES;
    uint32_t id;

    if (!inspect_next_live(cursor, &processes.ids, &id))
        return false;
    const struct process *process = &processes.processes[id];
    out->id = id;
    out->space = process->space;
    out->ledger = process->ledger;
    out->parent = process->parent;
    out->threads = process->thread_count;
    out->state = process_state(process);
    out->exit_reason = process->exit_reason;
    out->exit_status = process->exit_status;
    uint64_t run_cycles = process->run_cycles;
    for (const struct thread *thread = process->threads; thread != NULL;
         thread = thread->process_next)
        run_cycles += thread->run_cycles;
    out->run_ns = timer_cycles_to_ns(run_cycles);
    if (process->table != ID_NONE)
        out->caps = cadastre.caps.tables[process->table].count;
    if (process->space != ID_NONE) {
        const struct space *space = &cadastre.spaces.spaces[process->space];
        out->reserved_pages = space->virtual_pages;
        out->committed_pages = space->committed_pages;
        out->resident_pages = space_resident_pages(&cadastre, process->space);
        out->table_pages = space->table_pages;
    }
    name_copy(out->name, process->name, sizeof(out->name));
    return true;
}

bool inspect_THREADS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_thread_info *out = &record->THREADS;
    uint32_t id;

    if (!inspect_next_live(cursor, &threads.ids, &id))
        return false;
    const struct thread *thread = &threads.threads[id];
    out->id = id;
    out->process = thread->process->id;
    out->cpu = thread->cpu;
    out->priority = thread->priority;
    out->run_ns = timer_cycles_to_ns(thread->run_cycles);
    out->switches = thread->switches;
    name_copy(out->state, thread_state_name(thread->state), sizeof(out->state));
    return true;
}

/* --- counters --- */

static void counter_set(struct cad_counter *counter, const char *name, uint64_t value)
{
    name_copy(counter->name, name, sizeof(counter->name));
    counter->value = value;
}

struct named_value {
    const char *name;
    uint64_t value;
};

/* Values of the whole machine. Gives: their number. */
static unsigned machine_counters(struct named_value *values)
{
    const struct tlb_counters tlb = tlb_counters();
    unsigned count = 0;

#define TLB_COUNTER_VALUE(name, meaning)                                                           \
    values[count++] = (struct named_value){"tlb " #name, tlb.name};
    TLB_COUNTER_LIST(TLB_COUNTER_VALUE)
#undef TLB_COUNTER_VALUE
    values[count++] = (struct named_value){"boot cycles to init", boot_cycles};
    values[count++] = (struct named_value){"memory free pages", memory_free_pages()};
    values[count++] = (struct named_value){"memory zeroed pages", memory_zeroed_pages()};
    values[count++] = (struct named_value){"memory pool pages", pool_pages_used};
    values[count++] = (struct named_value){"memory pool pages limit", pool_pages_limit};
    values[count++] = (struct named_value){"console lost bytes", console_lost_bytes};
    return count;
}
#define MACHINE_COUNTERS_MAX 16

/* CPU counters: `cpu 12 switches`, three a CPU. */
static bool cpu_counter(uint64_t index, struct cad_counter *out)
{
    static const char *const names[] = {"switches", "interrupts", "idle_ns"};
    unsigned number = (unsigned)(index / ARRAY_COUNT(names));
    unsigned which = (unsigned)(index % ARRAY_COUNT(names));
    char name[CAD_INSPECT_NAME_BYTES] = "cpu ";
    unsigned used = 4;

    if (number >= cpu_count())
        return false;
    const struct cpu *cpu = cpu_by_index(number);
    const uint64_t values[] = {cpu->switches, cpu->interrupts,
                               timer_cycles_to_ns(cpu->idle_cycles)};
    if (number >= 10)
        name[used++] = (char)('0' + number / 10);
    name[used++] = (char)('0' + number % 10);
    name[used++] = ' ';
    name_copy(name + used, names[which], (unsigned)sizeof(name) - used);
    counter_set(out, name, values[which]);
    return true;
}

bool inspect_COUNTERS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct named_value values[MACHINE_COUNTERS_MAX];
    unsigned count = machine_counters(values);

    if (cursor->at < count)
        counter_set(&record->COUNTERS, values[cursor->at].name, values[cursor->at].value);
    else if (!cpu_counter(cursor->at - count, &record->COUNTERS))
        return false;
    cursor->at++;
    return true;
}

bool inspect_TRACE(struct inspect_cursor *cursor, union inspect_record *record)
{
    if (!trace_read(cursor->at, &record->TRACE))
        return false;
    cursor->at = record->TRACE.sequence + 1;
    return true;
}

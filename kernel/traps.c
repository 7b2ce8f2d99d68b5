// SPDX-License-Identifier: BSD-2-Clause
/* Exceptions of user code: a page is filled, or the process ends with a typed reason (OM3). */
#include "arch/mmu.h"
#include "arch/trap.h"
#include "base/print.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/thread.h"

static const char *access_name(uint32_t access)
{
    switch (access) {
    case CAD_PROT_WRITE:
        return "write";
    case CAD_PROT_EXECUTE:
        return "execution";
    default:
        return "read";
    }
}

static void page_fault(struct thread *thread, const struct fault *fault)
{
    struct process *process = thread->process;
    uint64_t pc = context_pc(&thread->context), until_ns = 0;
    status_t status;

    starvation_begin(thread, CAD_STARVE_FAULT);
    do {
        status = space_fault(this_core(), process->space,
                             fault->address & ~(uint64_t)(PAGE_SIZE - 1), fault->access);
    } while (status == CAD_PRESSURE && reaper_make_room(&until_ns));
    starvation_end(thread);
    if (status == CAD_OK) {
        if (fault->present) /* an older, stricter translation may be left here */
            mmu_flush_page(fault->address);
        return;
    }
    bool is_short = status == CAD_PRESSURE;
    print("process %u (%s): %s, %s at 0x%lx, pc 0x%lx: ended\n", process->id, process->name,
          is_short ? "out of memory" : "page fault", access_name(fault->access), fault->address,
          pc);
    process_end(process, is_short ? CAD_EXIT_OUT_OF_MEMORY : CAD_EXIT_PAGE_FAULT, 0,
                fault->address);
}

struct fault_row {
    enum cad_exit reason;
    const char *text;
};

static const struct fault_row rows[] = {
    [FAULT_PAGE] = {CAD_EXIT_PAGE_FAULT, "page fault"},
    [FAULT_ILLEGAL_INSTRUCTION] = {CAD_EXIT_ILLEGAL_INSTRUCTION, "illegal instruction"},
    [FAULT_ARITHMETIC] = {CAD_EXIT_ARITHMETIC, "arithmetic exception"},
    [FAULT_ALIGNMENT] = {CAD_EXIT_ALIGNMENT, "misaligned access"},
    [FAULT_BREAKPOINT] = {CAD_EXIT_BREAKPOINT, "breakpoint"},
    [FAULT_PROTECTION] = {CAD_EXIT_PROTECTION, "protection fault"},
    [FAULT_OTHER] = {CAD_EXIT_PROTECTION, "exception"},
};

void kernel_user_fault(struct arch_context *context, const struct fault *fault)
{
    struct thread *thread = this_cpu()->current;
    struct process *process = thread->process;

    if (fault->kind == FAULT_PAGE) {
        page_fault(thread, fault);
        return;
    }
    print("process %u (%s): %s (machine code 0x%x), pc 0x%lx: ended\n", process->id,
          process->name, rows[fault->kind].text, fault->machine_code, context_pc(context));
    process_end(process, rows[fault->kind].reason, 0, context_pc(context));
}

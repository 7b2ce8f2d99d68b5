// SPDX-License-Identifier: BSD-2-Clause
/* From vectors to the calls of arch/trap.h. */
#include "trap.h"

#include "apic.h"
#include "arch/cpu.h"
#include "arch/trap.h"
#include "arch_machine/layout.h"
#include "base/atomic.h"
#include "clock.h"
#include "console.h"
#include "cpu_features.h"
#include "instructions.h"
#include "registers.h"
#include "report.h"

#define FAULT_VECTORS 32

/* Exceptions of user code by what arch/trap.h calls them; the rest is the machine's trouble. */
#define USER_FAULTS(X)                                                                             \
    X(VECTOR_DIVIDE, FAULT_ARITHMETIC)                                                             \
    X(VECTOR_DEBUG, FAULT_BREAKPOINT)                                                              \
    X(VECTOR_BREAKPOINT, FAULT_BREAKPOINT)                                                         \
    X(VECTOR_OVERFLOW, FAULT_ARITHMETIC)                                                           \
    X(VECTOR_BOUND, FAULT_ARITHMETIC)                                                              \
    X(VECTOR_INVALID_OPCODE, FAULT_ILLEGAL_INSTRUCTION)                                            \
    X(VECTOR_NO_SEGMENT, FAULT_PROTECTION)                                                         \
    X(VECTOR_STACK, FAULT_PROTECTION)                                                              \
    X(VECTOR_PROTECTION, FAULT_PROTECTION)                                                         \
    X(VECTOR_PAGE_FAULT, FAULT_PAGE)                                                               \
    X(VECTOR_FPU, FAULT_ARITHMETIC)                                                                \
    X(VECTOR_ALIGNMENT, FAULT_ALIGNMENT)                                                           \
    X(VECTOR_SIMD, FAULT_ARITHMETIC)

static bool fault_kind_of(uint32_t vector, enum fault_kind *kind)
{
    switch (vector) {
#define FAULT_CASE(which, as)                                                                      \
    case which:                                                                                    \
        *kind = as;                                                                                \
        return true;
        USER_FAULTS(FAULT_CASE)
    default:
        return false;
    }
}

static uint32_t fault_access(uint32_t error_code)
{
    if ((error_code & FAULT_CODE_FETCH) != 0)
        return CAD_PROT_EXECUTE;
    return (error_code & FAULT_CODE_WRITE) != 0 ? CAD_PROT_WRITE : CAD_PROT_READ;
}

static void interrupt_dispatch(uint32_t vector)
{
    switch (vector) {
    case VECTOR_TIMER:
        apic_end_of_interrupt();
        clock_timer_interrupt();
        break;
    case VECTOR_IPI_TLB:
        apic_end_of_interrupt();
        kernel_tlb_service();
        break;
    case VECTOR_IPI_RESCHEDULE:
        apic_end_of_interrupt();
        kernel_reschedule();
        break;
    case VECTOR_CONSOLE:
        apic_end_of_interrupt();
        console_interrupt();
        break;
    default: /* spurious ones, of both controllers, want no answer */
        break;
    }
}

/* A user's `int n` comes as a protection fault, so a vector here is what it says. */
void trap_user(struct arch_context *context, uint32_t vector, uint32_t error_code)
{
    struct fault fault = {.machine_code = vector << 16 | (error_code & 0xffff)};
    if (vector == VECTOR_PAGE_FAULT) {
        fault.address = cr2_read();
        fault.access = fault_access(error_code);
        fault.present = (error_code & FAULT_CODE_PRESENT) != 0;
    }
    if (cpu_features.smap)
        user_access_forbid();
    if (vector >= FAULT_VECTORS) {
        interrupt_dispatch(vector);
    } else if (fault_kind_of(vector, &fault.kind)) {
        /* An access of the processor's own on behalf of user code (a descriptor, the stack
         * of an iret in some emulators): no mapping of the user's can make it possible. */
        if (vector == VECTOR_PAGE_FAULT && (error_code & FAULT_CODE_USER) == 0)
            fault.kind = FAULT_PROTECTION;
        kernel_user_fault(context, &fault);
    } else {
        struct trap_report report;
        report_from_context(&report, context, vector, error_code);
        kernel_panic(report_reason(&report), &report);
    }
}

void trap_kernel(const struct trap_report *report)
{
    if (report->vector >= FAULT_VECTORS)
        interrupt_dispatch((uint32_t)report->vector);
    else
        kernel_panic(report_reason(report), report);
}

/* Double fault, NMI, machine check: never back. */
_Noreturn void trap_last(const struct trap_report *report)
{
    if (report->vector == VECTOR_NMI && report_stop_wanted()) {
        atomic_store_release(&cpu_self()->stopped, 1); /* pairs with machine_stop_others() */
        cpu_halt_forever();
    }
    kernel_panic(report_reason(report), report);
}

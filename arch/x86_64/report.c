// SPDX-License-Identifier: BSD-2-Clause
/*
 * Frames are walked by frame pointers, and only while they lie in a stack of
 * the kernel that is mapped and grow upwards: a broken chain ends the walk, it
 * never faults.
 */
#include "report.h"

#include "apic.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "base/atomic.h"
#include "base/print.h"
#include "clock.h"
#include "cpu_local.h"
#include "instructions.h"
#include "registers.h"

#define BACKTRACE_MAX 24
#define STOP_WAIT_NS  100000000u
#define STOP_STEP_NS  10000u

static bool stop_wanted;

static const char *const reasons[] = {
    [VECTOR_DIVIDE] = "divide error",
    [VECTOR_DEBUG] = "debug exception",
    [VECTOR_NMI] = "non-maskable interrupt",
    [VECTOR_BREAKPOINT] = "breakpoint",
    [VECTOR_OVERFLOW] = "overflow",
    [VECTOR_BOUND] = "bound range",
    [VECTOR_INVALID_OPCODE] = "invalid opcode",
    [VECTOR_NO_FPU] = "floating point switched off (lazy FPU trap)",
    [VECTOR_DOUBLE_FAULT] = "double fault",
    [VECTOR_BAD_TSS] = "invalid TSS",
    [VECTOR_NO_SEGMENT] = "segment not present",
    [VECTOR_STACK] = "stack segment fault",
    [VECTOR_PROTECTION] = "general protection fault",
    [VECTOR_PAGE_FAULT] = "page fault",
    [VECTOR_FPU] = "x87 error",
    [VECTOR_ALIGNMENT] = "alignment check",
    [VECTOR_MACHINE_CHECK] = "machine check",
    [VECTOR_SIMD] = "SIMD error",
};

/* The unmapped page below a stack is where an overflow ends. */
static bool is_stack_guard(uint64_t address)
{
    if (address < STACK_BASE || address >= stack_slot(CPU_MAX))
        return false;
    uint64_t offset = (address - STACK_BASE) % STACK_SLOT_BYTES;
    if (offset < PAGE_SIZE)
        return true;
    offset -= PAGE_SIZE;
    if (offset < STACK_BYTES)
        return false;
    offset = (offset - STACK_BYTES) % (PAGE_SIZE + STACK_IST_BYTES);
    return offset < PAGE_SIZE;
}

const char *report_reason(const struct trap_report *report)
{
    bool faulted = report->vector == VECTOR_DOUBLE_FAULT || report->vector == VECTOR_PAGE_FAULT;
    if (faulted && is_stack_guard(cr2_read()))
        return "kernel stack overflow";
    if (report->vector >= ARRAY_COUNT(reasons) || reasons[report->vector] == NULL)
        return "unexpected exception";
    return reasons[report->vector];
}

void report_from_context(struct trap_report *report, const struct arch_context *context,
                         uint32_t vector, uint32_t error_code)
{
    *report = (struct trap_report){
        .rax = context->rax, .rbx = context->rbx, .rcx = context->rcx, .rdx = context->rdx,
        .rsi = context->rsi, .rdi = context->rdi, .rbp = context->rbp, .r8 = context->r8,
        .r9 = context->r9, .r10 = context->r10, .r11 = context->r11, .r12 = context->r12,
        .r13 = context->r13, .r14 = context->r14, .r15 = context->r15,
        .vector = vector, .error_code = error_code,
        .rip = context->rip, .cs = SELECTOR_USER_CODE, .rflags = context->rflags,
        .rsp = context->rsp, .ss = SELECTOR_USER_DATA,
    };
}

static void print_registers(const struct trap_report *r)
{
    print("  vector %lu, code 0x%lx, from %s mode\n", r->vector, r->error_code,
          (r->cs & SELECTOR_RPL_MASK) != 0 ? "user" : "kernel");
    print("  rip %016lx  rsp %016lx  rflags %08lx\n", r->rip, r->rsp, r->rflags);
    print("  rax %016lx  rbx %016lx  rcx %016lx\n", r->rax, r->rbx, r->rcx);
    print("  rdx %016lx  rsi %016lx  rdi %016lx\n", r->rdx, r->rsi, r->rdi);
    print("  rbp %016lx  r8  %016lx  r9  %016lx\n", r->rbp, r->r8, r->r9);
    print("  r10 %016lx  r11 %016lx  r12 %016lx\n", r->r10, r->r11, r->r12);
    print("  r13 %016lx  r14 %016lx  r15 %016lx\n", r->r13, r->r14, r->r15);
    print("  cr2 %016lx  cr3 %016lx  cs %lx ss %lx\n", cr2_read(), cr3_read(), r->cs, r->ss);
}

/* Two words at `frame` may be read: on a mapped part of some CPU's stack. */
static bool is_stack_frame(uint64_t frame)
{
    return (frame & 7) == 0 && frame >= STACK_BASE && frame + 15 < stack_slot(cpu_count()) &&
           frame % STACK_SLOT_BYTES < stack_ist_top(0, IST_COUNT) - stack_slot(0) - 15 &&
           !is_stack_guard(frame) && !is_stack_guard(frame + 15);
}

/* A call may be its function's last instruction: the name is that of the byte
 * before the place to return to. */
static void print_caller(uint64_t address, unsigned back_bytes)
{
    print("  %p ", (void *)address);
    print_symbol(address - back_bytes);
    print("\n");
}

static void print_backtrace(uint64_t frame)
{
    for (unsigned i = 0; i < BACKTRACE_MAX && is_stack_frame(frame); i++) {
        const uint64_t *words = (const uint64_t *)frame;
        if (words[1] < KERNEL_BASE)
            break;
        print_caller(words[1], 1);
        if (words[0] <= frame)
            break;
        frame = words[0];
    }
}

void machine_print_report(const struct trap_report *report)
{
    if (report == NULL) {
        print("backtrace:\n");
        print_backtrace((uint64_t)__builtin_frame_address(0));
        return;
    }
    print("registers:\n");
    print_registers(report);
    if ((report->cs & SELECTOR_RPL_MASK) != 0)
        return;
    print("backtrace:\n");
    print_caller(report->rip, 0);
    print_backtrace(report->rbp);
}

bool report_stop_wanted(void)
{
    return atomic_load_acquire(&stop_wanted);
}

static unsigned others_running(void)
{
    unsigned running = 0;
    for (unsigned i = 0; i < cpu_count(); i++) {
        if (i != cpu_self()->index && atomic_load_acquire(&arch_cpu_at(i)->stopped) == 0)
            running++;
    }
    return running;
}

void machine_stop_others(void)
{
    if (cpu_count() == 1)
        return;
    atomic_store_release(&stop_wanted, true);
    for (unsigned i = 0; i < cpu_count(); i++) {
        if (i != cpu_self()->index)
            apic_send_nmi(arch_cpu_at(i)->apic_id);
    }
    for (uint64_t waited = 0; others_running() > 0 && waited < STOP_WAIT_NS;
         waited += STOP_STEP_NS)
        clock_wait_ns(STOP_STEP_NS);
}

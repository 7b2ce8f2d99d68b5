// SPDX-License-Identifier: BSD-2-Clause
/* Making and changing user contexts; a fresh floating-point file. */
#include "arch/context.h"

#include "arch/cpu.h"
#include "base/assert.h"
#include "cpu_features.h"
#include "instructions.h"
#include "registers.h"
#include "trap.h"

COMPILE_ASSERT(CONTEXT_WORDS == 10, ten_message_words);
COMPILE_ASSERT(offsetof(struct arch_context, rbx) == 9 * 8, words_end_in_rbx);

COMPILE_ASSERT(CAD_USER_END <= (UINT64_C(1) << USER_ADDRESS_BITS) - PAGE_SIZE,
               sysret_targets_are_addresses);

#define SYSCALL_BYTES 2 /* of the instruction that the pc is behind */
#define CONTROL_BYTES 32 /* at the start of a floating-point file: no data registers */
#define HEADER_OFFSET 512 /* xsave's: which parts there are */
#define HEADER_BYTES  64
#define FCW_OFFSET    0
#define MXCSR_OFFSET  24
#define FCW_DEFAULT   0x037f /* all exceptions masked, 64-bit mantissa */
#define MXCSR_DEFAULT 0x1f80 /* all exceptions masked, round to nearest */

void context_init(struct arch_context *context, uint64_t pc, uint64_t sp, uint64_t argument,
                  uint64_t tls, uint64_t runtime)
{
    *context = (struct arch_context){
        .rip = pc,
        .rsp = sp,
        .rdi = argument,
        .fs_base = tls,
        .gs_base = runtime,
        .rflags = RFLAGS_FIXED | RFLAGS_IF,
        .leave = LEAVE_IRET,
    };
}

void context_set_tls(struct arch_context *context, uint64_t tls)
{
    context->fs_base = tls;
    if (cpu_self()->context != context)
        return;
    if (cpu_has_fsgsbase)
        fs_base_write(tls);
    else
        msr_write(MSR_FS_BASE, tls);
}

void context_set_runtime(struct arch_context *context, uint64_t runtime)
{
    context->gs_base = runtime;
    if (cpu_self()->context == context)
        msr_write(MSR_KERNEL_GS_BASE, runtime); /* swapgs makes it the user's */
}

void context_bounce(struct arch_context *context, uint64_t handler)
{
    context->rcx = context->rip;
    context->r11 = context->rflags;
    context->rip = handler;
    context->leave = LEAVE_IRET; /* sysret would put the handler into rcx */
}

void context_restart(struct arch_context *context)
{
    context->rip -= SYSCALL_BYTES;
}

/* xrstor reads no part that is not there by its header, but MXCSR: whatever was in the record
 * before, registers are as after a reset. */
void fpu_state_init(struct arch_fpu *fpu)
{
    if (cpu_has_xsave) {
        __builtin_memset(fpu->state, 0, CONTROL_BYTES);
        __builtin_memset(fpu->state + HEADER_OFFSET, 0, HEADER_BYTES);
    } else {
        *fpu = (struct arch_fpu){0};
    }
    *(uint16_t *)(fpu->state + FCW_OFFSET) = FCW_DEFAULT;
    *(uint32_t *)(fpu->state + MXCSR_OFFSET) = MXCSR_DEFAULT;
}

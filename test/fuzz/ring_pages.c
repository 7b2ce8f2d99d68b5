// SPDX-License-Identifier: BSD-2-Clause
/*
 * kernel/ring.c against its own pages (RG2): submissions of any bytes, indices of any
 * value, and another CPU that writes to the ring while the batch runs.  kernel/ runs as
 * it is; after each input everything must be given back and the audit clean.
 *
 * A batch is struck at moments: each time the kernel asks which CPU it is on is one.
 */
#include "abi/methods.h"
#include "abi/ring.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/trap.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "test/fuzz/machine/hostile.h"
#include "test/fuzz/machine/system.h"

#define STEPS_MAX   64
#define STRIKES_MAX 8

/* --- the other CPU --- */

static struct strike {
    uint32_t moment, offset, value;
} strikes[STRIKES_MAX];
static unsigned strike_count;
static uint32_t moment;
static struct thread *victim;

static uint32_t *ring_word(const struct thread *thread, uint32_t offset)
{
    uint8_t *page = frame_pointer(thread->ring_frames[offset / PAGE_SIZE % RING_PAGES]);

    return (uint32_t *)(void *)(page + (offset & (PAGE_SIZE - 1) & ~3u));
}

static void strike_now(void)
{
    moment++;
    for (unsigned i = 0; i < strike_count; i++) {
        if (strikes[i].moment == moment && victim->ring_address != 0)
            __atomic_store_n(ring_word(victim, strikes[i].offset), strikes[i].value,
                             __ATOMIC_RELAXED);
    }
}

/* Half of them hit the indices, the others anything in the ring. */
static void strikes_read(struct thread *thread)
{
    victim = thread;
    moment = 0;
    strike_count = input_byte(&input) % (STRIKES_MAX + 1);
    for (unsigned i = 0; i < strike_count; i++) {
        uint8_t choice = input_byte(&input);
        strikes[i].moment = 1 + input_byte(&input);
        strikes[i].offset = choice < 128 ? (choice & 3) * 4u : (uint32_t)input_take(&input, 2);
        strikes[i].value = (uint32_t)(choice & 4 ? word_edge() : input_byte(&input));
    }
}

/* --- what the user does with its ring --- */

static uint32_t index_get(const struct thread *thread, uint32_t offset)
{
    return *ring_word(thread, offset);
}

static void ring_put(const struct thread *thread, uint32_t offset, const void *from, size_t bytes)
{
    const uint32_t *words = from;

    for (size_t i = 0; i < bytes / sizeof(*words); i++)
        *ring_word(thread, offset + (uint32_t)(i * sizeof(*words))) = words[i];
}

#define SQ_HEAD offsetof(struct cad_ring, sq_head)
#define SQ_TAIL offsetof(struct cad_ring, sq_tail)
#define CQ_HEAD offsetof(struct cad_ring, cq_head)
#define CQ_TAIL offsetof(struct cad_ring, cq_tail)

static void submit(const struct thread *thread, bool is_nothing)
{
    struct cad_submission submission = {.user_data = input_byte(&input)};
    uint32_t tail = index_get(thread, SQ_TAIL);
    struct hostile_call call;

    if (submission.user_data >= 0xf0)
        submission.flags = input_byte(&input);
    if (!is_nothing) {
        hostile_call(thread, &call);
        submission.call = (uint32_t)call.call;
        submission.cap = call.cap;
        memcpy(submission.words, call.words, sizeof(submission.words));
    }
    ring_put(thread, offsetof(struct cad_ring, submissions) +
                         tail % CAD_RING_SUBMISSIONS * (uint32_t)sizeof(submission),
             &submission, sizeof(submission));
    *ring_word(thread, SQ_TAIL) = tail + 1;
}

/* The indices, sometimes somewhere else. */
static void indices_spoil(const struct thread *thread)
{
    uint8_t choice = input_byte(&input);

    if (choice < 32)
        *ring_word(thread, choice & 12) = (uint32_t)word_edge();
    else if (choice < 64)
        *ring_word(thread, choice & 12) += input_byte(&input);
    else if (choice < 192)
        *ring_word(thread, CQ_HEAD) = index_get(thread, CQ_TAIL);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t submission_word(const struct thread *thread, uint32_t index, uint32_t offset)
{
    return *ring_word(thread, offsetof(struct cad_ring, submissions) + offset +
                                  index % CAD_RING_SUBMISSIONS *
                                      (uint32_t)sizeof(struct cad_submission));
}

/* All that may run are no operations: those of this input, or what a spoilt index finds. */
static bool is_quiet(const struct thread *thread)
{
    for (uint32_t i = 0; i < CAD_RING_SUBMISSIONS; i++) {
        if (submission_word(thread, i, offsetof(struct cad_submission, call)) != 0)
            return false;
    }
    return true;
}

/* How many of `most` no operations from `head` on run: to the first that fails and stops. */
static uint32_t quiet_length(const struct thread *thread, uint32_t head, uint32_t most)
{
    const uint32_t offset = offsetof(struct cad_submission, flags);

    for (uint32_t i = 0; i < most; i++) {
        uint32_t flags = submission_word(thread, head + i, offset);
        if (flags > CAD_SUBMISSION_STOP_ON_ERROR && (flags & CAD_SUBMISSION_STOP_ON_ERROR) != 0)
            return i + 1;
    }
    return most;
}

/* A batch of no operations that nobody struck does exactly what the indices say. */
static void quiet_check(const struct thread *thread, const uint32_t before[4], uint64_t wanted)
{
    uint32_t pending = before[1] - before[0], used = before[3] - before[2];
    uint32_t status = (uint32_t)context_call(&thread->context);

    if (pending > CAD_RING_SUBMISSIONS || used > CAD_RING_COMPLETIONS) {
        system_expect(status == CAD_BAD_RING || wanted == 0, "a bad index was believed", status);
        return;
    }
    uint32_t done = least(pending, CAD_RING_COMPLETIONS - used);
    if (wanted < done)
        done = (uint32_t)wanted;
    done = quiet_length(thread, before[0], done);
    system_expect(status == CAD_OK, "a good ring was refused", status);
    system_expect(context_word(&thread->context, 0) == done, "completions", done);
    system_expect(index_get(thread, SQ_HEAD) == before[0] + done, "sq_head", done);
    system_expect(index_get(thread, CQ_TAIL) == before[3] + done, "cq_tail", done);
}

/* Its own registers come back, but for the result. */
static void registers_check(const struct thread *thread, const uint64_t *words)
{
    for (unsigned i = 1; i < CAD_MESSAGE_WORDS; i++)
        system_expect(context_word(&thread->context, i) == words[i], "a register changed", i);
    system_expect(thread->ring_completed <= CAD_RING_SUBMISSIONS, "more than a batch",
                  thread->ring_completed);
}

static void enter(struct thread *thread, cap_id_t cap)
{
    const uint64_t words[CAD_MESSAGE_WORDS] = {input_byte(&input) % 80, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const uint32_t before[4] = {index_get(thread, SQ_HEAD), index_get(thread, SQ_TAIL),
                                index_get(thread, CQ_HEAD), index_get(thread, CQ_TAIL)};
    bool must_be_exact = strike_count == 0 && is_quiet(thread);

    machine_moment = strike_count > 0 ? strike_now : NULL;
    system_call(thread, CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_ring_enter), cap, words);
    machine_moment = NULL;
    strike_count = 0;
    if (thread->in_ring || thread->state != THREAD_RUNNING || thread->killed)
        return; /* it waits, or has ended */
    registers_check(thread, words);
    if (must_be_exact)
        quiet_check(thread, before, words[0]);
}

/* A capability of the process on itself that lets it enter its ring; NONE: it gave it away. */
static cap_id_t self_capability(const struct process *process)
{
    const uint32_t slot_mask = (1u << CAD_CAP_SLOT_BITS) - 1;

    for (unsigned i = 0; i < 16; i++) {
        cap_id_t cap = system_capability(process, CAD_INTERFACE_PROCESS, i);
        const struct cap_slot *slot = &cadastre.caps.slots[cap & slot_mask];
        if (cap != CAD_CAP_NONE && slot->object.index == process->id &&
            (slot->rights & CAD_RIGHT_CONTROL) != 0)
            return cap;
    }
    return CAD_CAP_NONE;
}

static bool step(struct thread *thread)
{
    cap_id_t cap = self_capability(thread->process);
    const uint64_t none[CAD_MESSAGE_WORDS] = {0};

    if (input.left == 0 || cap == CAD_CAP_NONE)
        return false;
    if (thread->ring_address == 0) {
        (void)input_byte(&input);
        system_call(thread, CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_ring_create), cap,
                    none);
        return true;
    }
    uint8_t choice = input_byte(&input);
    bool is_nothing = (choice & 0x40) == 0;
    unsigned count = is_nothing ? choice & 63 : choice & 7;
    for (unsigned i = 0; i < count; i++)
        submit(thread, is_nothing);
    strikes_read(thread);
    indices_spoil(thread);
    enter(thread, cap);
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

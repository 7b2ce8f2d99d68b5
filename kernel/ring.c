// SPDX-License-Identifier: BSD-2-Clause
/* The batch's state is in the thread, as it must survive a submission that blocks. */
#include "kernel/ring.h"

#include "arch/mmu.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "core/ring.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"
#include "kernel/scheduler.h"
#include "kernel/tlb.h"

/* A ring and a page that nothing is mapped in. */
#define RING_STRIDE (CAD_RING_BYTES + PAGE_SIZE)
#define RING_SLOTS  ((uint32_t)((CAD_USER_END - CAD_RING_BASE) / RING_STRIDE))
#define RING_TRIES  64

COMPILE_ASSERT(offsetof(struct cad_ring, submissions) % sizeof(uint64_t) == 0, words_in_pages);
COMPILE_ASSERT(sizeof(struct cad_submission) % sizeof(uint64_t) == 0, submission_is_words);
COMPILE_ASSERT(sizeof(struct cad_completion) % sizeof(uint64_t) == 0, completion_is_words);

/* --- the pages --- */

static void *ring_at(const struct thread *thread, size_t offset)
{
    uint8_t *page = frame_pointer(thread->ring_frames[offset >> PAGE_SHIFT]);
    return page + (offset & (PAGE_SIZE - 1));
}

static uint32_t index_read(const struct thread *thread, size_t offset)
{
    return atomic_load_acquire((uint32_t *)ring_at(thread, offset));
}

static void index_write(const struct thread *thread, size_t offset, uint32_t value)
{
    atomic_store_release((uint32_t *)ring_at(thread, offset), value);
}

#define INDEX_READ(thread, field)         index_read(thread, offsetof(struct cad_ring, field))
#define INDEX_WRITE(thread, field, value)                                                          \
    index_write(thread, offsetof(struct cad_ring, field), value)

static void words_copy(uint64_t *to, const uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        atomic_store_relaxed(&to[i], atomic_load_relaxed(&from[i]));
}

/* How many of an entry's `count` words lie in the page that it begins in. */
static size_t words_in_page(size_t offset, size_t count)
{
    size_t room = (PAGE_SIZE - (offset & (PAGE_SIZE - 1))) / sizeof(uint64_t);
    return room < count ? room : count;
}

/* Word by word, as an entry may lie across two pages. */
static void submission_read(const struct thread *thread, uint32_t index,
                            struct cad_submission *submission)
{
    uint32_t slot = ring_slot(index, CAD_RING_SUBMISSIONS);
    size_t offset = offsetof(struct cad_ring, submissions) + slot * sizeof *submission;
    size_t count = sizeof *submission / sizeof(uint64_t), first = words_in_page(offset, count);
    uint64_t *words = (void *)submission;

    words_copy(words, ring_at(thread, offset), first);
    if (first < count)
        words_copy(words + first, ring_at(thread, offset + first * sizeof *words), count - first);
}

static void completion_write(const struct thread *thread, uint32_t index,
                             const struct cad_completion *completion)
{
    uint32_t slot = ring_slot(index, CAD_RING_COMPLETIONS);
    size_t offset = offsetof(struct cad_ring, completions) + slot * sizeof *completion;
    size_t count = sizeof *completion / sizeof(uint64_t), first = words_in_page(offset, count);
    const uint64_t *words = (const void *)completion;

    words_copy(ring_at(thread, offset), words, first);
    if (first < count)
        words_copy(ring_at(thread, offset + first * sizeof *words), words + first, count - first);
}

/* --- creation and end --- */

static void unmap_pages(struct process *process, virt_addr_t address, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct space_work work;
        CHECK_VALUE(tlb_enter(process), process->id);
        tlb_work(process, &work);
        status_t status = space_unmap_system(this_core(), process->space, address + i * PAGE_SIZE,
                                             &work);
        tlb_leave(process);
        CHECK_VALUE(status == CAD_OK, address);
        tlb_finish(process, &work);
    }
}

/* All or none. */
static status_t map_pages(struct process *process, virt_addr_t address, frame_no_t *frames)
{
    unsigned mapped = 0;
    status_t status = CAD_OK;

    while (mapped < RING_PAGES && status == CAD_OK) {
        status = space_map_system(this_core(), process->space, address + mapped * PAGE_SIZE,
                                  CAD_PROT_READ | CAD_PROT_WRITE, &frames[mapped]);
        mapped += status == CAD_OK;
    }
    if (status != CAD_OK)
        unmap_pages(process, address, mapped);
    return status;
}

static virt_addr_t next_address(struct process *process)
{
    uint32_t slot = atomic_fetch_add(&process->ring_next, 1) % RING_SLOTS;
    return CAD_RING_BASE + (uint64_t)slot * RING_STRIDE;
}

status_t method_process_ring_create(struct invocation *call)
{
    struct process *process = call->process;
    struct thread *thread = call->thread;
    status_t status = CAD_OVERLAP;
    virt_addr_t address = 0;

    if (call->cap.object.index != process->id)
        return CAD_INVALID;
    if (thread->ring_address != 0)
        return CAD_BUSY;
    for (unsigned i = 0; i < RING_TRIES && status == CAD_OVERLAP; i++) {
        address = next_address(process);
        status = map_pages(process, address, thread->ring_frames);
    }
    if (status != CAD_OK)
        return status == CAD_OVERLAP ? CAD_NO_SPACE : status;
    thread->ring_address = address;
    result(call, 0, address);
    return CAD_OK;
}

void ring_release(struct thread *thread)
{
    struct process *process = thread->process;

    if (thread->ring_address == 0 ||
        atomic_load_acquire(&process->phase) != PROCESS_PHASE_RUNNING)
        return;
    unmap_pages(process, thread->ring_address, RING_PAGES);
    thread->ring_address = 0;
}

/* --- the batch --- */

/* Our two indices, as they were when they were checked. */
struct position {
    uint32_t head, tail;
};

/* Gives: how many submissions may run now: submitted and with room for their
 * completion; false if an index is out of step. */
static bool batch_room(const struct thread *thread, struct position *at, uint32_t *count)
{
    uint32_t pending, space;

    at->head = INDEX_READ(thread, sq_head);
    at->tail = INDEX_READ(thread, cq_tail);
    if (!ring_pending(at->head, INDEX_READ(thread, sq_tail), CAD_RING_SUBMISSIONS, &pending) ||
        !ring_space(INDEX_READ(thread, cq_head), at->tail, CAD_RING_COMPLETIONS, &space))
        return false;
    *count = pending < space ? pending : space;
    return true;
}

/* Both of our indices become the user's: nothing pending, nothing to collect. */
static void recover(const struct thread *thread)
{
    INDEX_WRITE(thread, sq_head, INDEX_READ(thread, sq_tail));
    INDEX_WRITE(thread, cq_tail, INDEX_READ(thread, cq_head));
}

/* ring_enter's own registers come back, with its result. */
static status_t batch_end(struct thread *thread, status_t status)
{
    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        context_set_word(&thread->context, i, thread->ring_words[i]);
    context_set_badge(&thread->context, thread->ring_cap);
    if (status == CAD_OK)
        context_set_word(&thread->context, 0, thread->ring_completed);
    context_set_status(&thread->context, status);
    thread->in_ring = false;
    return status;
}

static status_t submission_run(struct thread *thread, const struct cad_submission *submission)
{
    thread->ring_user_data = submission->user_data;
    thread->ring_stop = (submission->flags & CAD_SUBMISSION_STOP_ON_ERROR) != 0;
    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        context_set_word(&thread->context, i, submission->words[i]);
    context_set_badge(&thread->context, submission->cap); /* the register that names it */
    context_set_status(&thread->context, submission->call);
    if ((submission->flags & ~(uint32_t)CAD_SUBMISSION_STOP_ON_ERROR) != 0)
        return CAD_INVALID;
    return submission->call == 0 ? CAD_OK : dispatch(thread);
}

static void submission_complete(struct thread *thread, status_t status)
{
    /* read anew: it may have waited long */
    uint32_t tail = INDEX_READ(thread, cq_tail);
    struct cad_completion completion = {
        .user_data = thread->ring_user_data,
        .status = status,
        .badge = context_cap(&thread->context),
    };

    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        completion.words[i] = context_word(&thread->context, i);
    completion_write(thread, tail, &completion);
    INDEX_WRITE(thread, cq_tail, tail + 1);
    thread->ring_completed++;
    thread->ring_remaining--;
    if (status != CAD_OK && thread->ring_stop)
        thread->ring_remaining = 0;
}

/* --- no operations ---
 *
 * What they complete with is what they were submitted with, so they go from slot to slot,
 * many for one look at the indices. */

/* How many entries from that offset on lie whole in its page. */
static uint32_t whole_entries(size_t offset, size_t bytes)
{
    return (uint32_t)((PAGE_SIZE - (offset & (PAGE_SIZE - 1))) / bytes);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* As nothings_copy(), of one entry. */
static uint32_t nothing_copy_across(const struct thread *thread, struct position at)
{
    struct cad_submission submission;

    submission_read(thread, at.head, &submission);
    if (submission.call != 0 || submission.flags != 0)
        return 0;
    struct cad_completion completion = {
        .user_data = submission.user_data,
        .status = CAD_OK,
        .badge = submission.cap,
    };
    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        completion.words[i] = submission.words[i];
    completion_write(thread, at.tail, &completion);
    return 1;
}

/* Gives: how many of at most `count` were no operations; their completions are written.
 * Of an entry, only its first word is judged, and that is read once. */
static uint32_t nothings_copy(const struct cad_submission *from, struct cad_completion *to,
                              uint32_t count)
{
    for (uint32_t done = 0; done < count; done++, from++, to++) {
        if (atomic_load_relaxed((const uint64_t *)(const void *)from) != 0) /* call and flags */
            return done;
        to->user_data = from->user_data;
        to->status = CAD_OK;
        to->reserved = 0;
        to->badge = from->cap;
        __builtin_memcpy(to->words, from->words, sizeof to->words);
    }
    return count;
}

/* The same for what begins at the position and lies in one page on either side, or is one. */
static uint32_t nothings_step(const struct thread *thread, struct position at, uint32_t most)
{
    uint32_t first = ring_slot(at.head, CAD_RING_SUBMISSIONS);
    uint32_t last = ring_slot(at.tail, CAD_RING_COMPLETIONS);
    size_t from = offsetof(struct cad_ring, submissions) + first * sizeof(struct cad_submission);
    size_t to = offsetof(struct cad_ring, completions) + last * sizeof(struct cad_completion);
    uint32_t whole = least(whole_entries(from, sizeof(struct cad_submission)),
                           whole_entries(to, sizeof(struct cad_completion)));

    if (whole == 0)
        return nothing_copy_across(thread, at);
    most = least(most, least(CAD_RING_SUBMISSIONS - first, CAD_RING_COMPLETIONS - last));
    return nothings_copy(ring_at(thread, from), ring_at(thread, to), least(most, whole));
}

/* Completes the first of the submissions that may run, as long as they are no operations.
 * Gives: false if the first is none. */
static bool nothings_run(struct thread *thread, struct position at, uint32_t room)
{
    uint32_t most = least(room, thread->ring_remaining), done = 0, step;

    do {
        step = nothings_step(thread, at, most - done);
        at.head += step;
        at.tail += step;
        done += step;
    } while (step != 0 && done < most);
    if (done == 0)
        return false;
    INDEX_WRITE(thread, sq_head, at.head);
    INDEX_WRITE(thread, cq_tail, at.tail);
    thread->ring_completed += done;
    thread->ring_remaining -= done;
    return true;
}

/* Between two calls of a batch interrupts are taken, and whatever else waits comes first, as
 * if each had been a trap of its own: the batch goes on in kernel_resume(). */
static bool must_pause(void)
{
    lock_check_none_held();
    kernel_tlb_service();
    cpu_take_interrupts();
    return scheduler_needs_more(this_cpu());
}

static status_t batch_run(struct thread *thread)
{
    while (thread->ring_remaining > 0 && !thread_sees_end(thread)) {
        struct position at;
        uint32_t room;
        if (!batch_room(thread, &at, &room)) {
            recover(thread);
            return batch_end(thread, CAD_BAD_RING);
        }
        if (room == 0)
            break;
        if (nothings_run(thread, at, room)) {
            kernel_tlb_service();
            continue;
        }
        struct cad_submission submission;
        submission_read(thread, at.head, &submission);
        INDEX_WRITE(thread, sq_head, at.head + 1);
        thread->ring_waits = true; /* now: a thread that blocks is not ours any more */
        status_t status = submission_run(thread, &submission);
        if (status == DISPATCH_BLOCKED)
            return DISPATCH_BLOCKED;
        thread->ring_waits = false;
        submission_complete(thread, status);
        if (thread->ring_remaining > 0 && must_pause())
            return DISPATCH_BLOCKED; /* kernel_resume() goes on */
    }
    return batch_end(thread, CAD_OK);
}

status_t method_process_ring_enter(struct invocation *call)
{
    struct thread *thread = call->thread;
    uint64_t wanted = argument(call, 0);

    if (call->cap.object.index != call->process->id || thread->in_ring)
        return CAD_INVALID;
    if (thread->ring_address == 0)
        return CAD_NOT_FOUND;
    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        thread->ring_words[i] = argument(call, i);
    thread->ring_cap = context_cap(&thread->context);
    thread->ring_remaining = wanted < CAD_RING_SUBMISSIONS ? (uint32_t)wanted
                                                           : CAD_RING_SUBMISSIONS;
    thread->ring_completed = 0;
    thread->in_ring = true;
    return batch_run(thread);
}

void ring_continue(struct thread *thread)
{
    if (thread->ring_waits) {
        thread->ring_waits = false;
        submission_complete(thread, (status_t)context_call(&thread->context));
    }
    (void)batch_run(thread);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The capability ring: submissions and completions in memory shared with the
 * kernel, one ring a thread, CAD_RING_BYTES long.  The user writes sq_tail and cq_head,
 * the kernel sq_head and cq_tail; indices run freely modulo 2^32.  The kernel
 * trusts nothing here: it copies an entry once, then checks the copy (RG2).
 * After an index out of step it answers BAD_RING, once it has set both its
 * indices to the user's, so that the thread can go on.
 */
#ifndef ABI_RING_H
#define ABI_RING_H

#include "abi/invoke.h"
#include "abi/types.h"

#define CAD_RING_SUBMISSIONS 64
#define CAD_RING_COMPLETIONS 64

/* Stop the batch here if this one fails. */
#define CAD_SUBMISSION_STOP_ON_ERROR 1

struct cad_submission {
    uint32_t call;      /* CAD_CALL(...), or 0: no operation */
    uint32_t flags;     /* CAD_SUBMISSION_* */
    cap_id_t cap;
    uint64_t user_data; /* comes back in the completion */
    uint64_t words[CAD_MESSAGE_WORDS];
    uint64_t reserved[3];
};

struct cad_completion {
    uint64_t user_data;
    uint32_t status;
    uint32_t reserved;
    uint64_t badge;
    uint64_t words[CAD_MESSAGE_WORDS];
};

struct cad_ring {
    uint32_t sq_head, sq_tail, cq_head, cq_tail;
    uint64_t reserved[6];
    struct cad_submission submissions[CAD_RING_SUBMISSIONS];
    struct cad_completion completions[CAD_RING_COMPLETIONS];
};
_Static_assert(sizeof(struct cad_submission) == 128, "submission_is_two_cache_lines");
_Static_assert(sizeof(struct cad_ring) <= CAD_RING_BYTES, "ring_fits_its_pages");

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way an invocation can end, in three layers that are never mixed:
 * transport (the request could not be read), capability (what the kernel
 * refused, by class), method (the object's own answer).  Append only; numbers
 * are never reused (AB2).
 */
#ifndef ABI_STATUS_H
#define ABI_STATUS_H

/* STATUS(name, number, layer, meaning) */
#define CAD_STATUS_LIST(STATUS)                                                                    \
    STATUS(OK, 0, METHOD, "done")                                                                  \
    STATUS(BAD_CALL, 1, TRANSPORT, "no such interface or method")                                  \
    STATUS(BAD_ADDRESS, 2, TRANSPORT, "a buffer is not readable or writable by the caller")        \
    STATUS(BAD_RING, 3, TRANSPORT, "ring indices or entries are corrupt")                          \
    STATUS(STALE, 16, CAPABILITY, "no such capability, or it was deleted or revoked")              \
    STATUS(WRONG_TYPE, 17, CAPABILITY, "the capability is of another interface")                   \
    STATUS(NO_RIGHT, 18, CAPABILITY, "the capability lacks the right")                             \
    STATUS(INVALID, 19, CAPABILITY, "an argument is out of its range")                             \
    STATUS(QUOTA_VIRTUAL, 20, CAPABILITY, "the ledger's virtual pages are used up")                \
    STATUS(QUOTA_COMMITTED, 21, CAPABILITY, "the ledger's committed pages are used up")            \
    STATUS(QUOTA_PINNED, 22, CAPABILITY, "the ledger's pinned pages are used up")                  \
    STATUS(QUOTA_METADATA, 23, CAPABILITY, "the ledger's kernel metadata is used up")              \
    STATUS(QUOTA_SLOTS, 24, CAPABILITY, "the ledger's capability slots are used up")               \
    STATUS(QUOTA_THREADS, 25, CAPABILITY, "the ledger's threads are used up")                      \
    STATUS(QUOTA_CALLS, 26, CAPABILITY, "the ledger's outstanding calls are used up")              \
    STATUS(QUOTA_MESSAGES, 27, CAPABILITY, "the ledger's queued messages are used up")             \
    STATUS(QUOTA_WAITERS, 28, CAPABILITY, "the ledger's park waiters are used up")                 \
    STATUS(PRESSURE, 29, CAPABILITY, "the machine has no free frame or record for this now")       \
    STATUS(NO_RESULT_SLOT, 30, CAPABILITY, "no slot for a capability in the result")               \
    STATUS(DISCONNECTED, 31, CAPABILITY, "the other side is gone")                                 \
    STATUS(CANCELLED, 32, CAPABILITY, "the operation was cancelled")                               \
    STATUS(TIMED_OUT, 33, CAPABILITY, "the deadline passed")                                       \
    STATUS(NOT_TRANSFERABLE, 34, CAPABILITY, "the capability may not leave its process")           \
    STATUS(OVERLAP, 64, METHOD, "something is already there")                                      \
    STATUS(NOT_RESERVED, 65, METHOD, "part of the range is not reserved by this authority")        \
    STATUS(NOT_COMMITTED, 66, METHOD, "part of the range is not committed")                        \
    STATUS(PROTECTED_RANGE, 67, METHOD, "the range holds the ring, the CapSet or a guard")         \
    STATUS(WRONG_OBJECT, 68, METHOD, "part of the range maps another object")                      \
    STATUS(WRITE_EXECUTE, 69, METHOD, "writable and executable at once is refused")                \
    STATUS(BUSY, 70, METHOD, "children, mappings or waiters still exist")                          \
    STATUS(BAD_IMAGE, 71, METHOD, "the ELF image is malformed")                                    \
    STATUS(MISMATCH, 72, METHOD, "the word does not hold the expected value")                      \
    STATUS(WOULD_BLOCK, 73, METHOD, "nothing is there now")                                        \
    STATUS(NO_SPACE, 74, METHOD, "no free address range is large enough")                          \
    STATUS(BAD_TOKEN, 75, METHOD, "no such call waits for this reply")                             \
    STATUS(UNCHARGED, 76, METHOD, "more is taken back than was donated or is unused")              \
    STATUS(NOT_FOUND, 77, METHOD, "no such thing")                                                 \
    STATUS(USED_UP, 78, METHOD, "the untyped memory has fewer pages left than asked for")

#ifndef __ASSEMBLER__
#define CAD_STATUS_ENUM(name, number, layer, meaning) CAD_##name = number,
typedef enum cad_status { CAD_STATUS_LIST(CAD_STATUS_ENUM) } status_t;
#undef CAD_STATUS_ENUM
#endif

#endif

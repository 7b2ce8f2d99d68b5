// SPDX-License-Identifier: BSD-2-Clause
/* What a kernel status is called on Linux. */
#include "runtime.h"

#include <errno.h>

/* A missing case does not compile (-Wswitch). */
long error_of(status_t status)
{
    switch (status) {
    case CAD_OK:
        return 0;
    case CAD_BAD_CALL:
    case CAD_BAD_RING:
        return -ENOSYS;
    case CAD_BAD_ADDRESS:
        return -EFAULT;
    case CAD_STALE:
    case CAD_WRONG_TYPE:
        return -EBADF;
    case CAD_NO_RIGHT:
    case CAD_WRITE_EXECUTE:
    case CAD_NOT_TRANSFERABLE:
    case CAD_PROTECTED_RANGE:
    case CAD_WRONG_OBJECT:
        return -EACCES;
    case CAD_QUOTA_VIRTUAL:
    case CAD_QUOTA_COMMITTED:
    case CAD_QUOTA_PINNED:
    case CAD_QUOTA_METADATA:
    case CAD_PRESSURE:
    case CAD_NO_SPACE:
    case CAD_USED_UP:
    case CAD_NOT_RESERVED:
    case CAD_NOT_COMMITTED:
        return -ENOMEM;
    case CAD_QUOTA_SLOTS:
    case CAD_NO_RESULT_SLOT:
        return -EMFILE;
    case CAD_QUOTA_THREADS:
    case CAD_QUOTA_CALLS:
    case CAD_QUOTA_MESSAGES:
    case CAD_QUOTA_WAITERS:
    case CAD_MISMATCH:
    case CAD_WOULD_BLOCK:
        return -EAGAIN;
    case CAD_DISCONNECTED:
        return -EPIPE;
    case CAD_CANCELLED:
        return -EINTR;
    case CAD_TIMED_OUT:
        return -ETIMEDOUT;
    case CAD_OVERLAP:
        return -EEXIST;
    case CAD_BUSY:
        return -EBUSY;
    case CAD_BAD_IMAGE:
        return -ENOEXEC;
    case CAD_NOT_FOUND:
        return -ENOENT;
    case CAD_INVALID:
    case CAD_BAD_TOKEN:
    case CAD_UNCHARGED:
        return -EINVAL;
    }
    return -EINVAL;
}

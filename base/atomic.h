// SPDX-License-Identifier: BSD-2-Clause
/*
 * The atomic operations the tree uses, by the C11 memory model's names.  One
 * place, so that the prover can read them as plain accesses of code that runs
 * under its lock (no more than that is claimed of them there).
 */
#ifndef BASE_ATOMIC_H
#define BASE_ATOMIC_H

#include "base/types.h"

#ifdef __FRAMAC__
#define atomic_load_relaxed(p)      (*(p))
#define atomic_load_acquire(p)      (*(p))
#define atomic_store_relaxed(p, v)  (*(p) = (v))
#define atomic_store_release(p, v)  (*(p) = (v))
#define atomic_fetch_add(p, v)                                                                     \
    ({ __typeof__(*(p)) before_add_ = *(p); *(p) = before_add_ + (v); before_add_; })
#define atomic_fetch_sub(p, v)                                                                     \
    ({ __typeof__(*(p)) before_sub_ = *(p); *(p) = before_sub_ - (v); before_sub_; })
#define atomic_compare_exchange(p, expected, v)                                                    \
    ({ bool was_ = *(p) == *(expected);                                                            \
       if (was_) *(p) = (v); else *(expected) = *(p);                                              \
       was_; })
#else
#define atomic_load_relaxed(p)      __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_load_acquire(p)      __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_store_relaxed(p, v)  __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomic_store_release(p, v)  __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_exchange(p, v)       __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define atomic_fetch_add(p, v)      __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define atomic_fetch_sub(p, v)      __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)
#define atomic_fetch_or(p, v)       __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define atomic_fetch_and(p, v)      __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)
#define atomic_compare_exchange(p, expected, v)                                                    \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define atomic_fence()              __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* Offsets in struct thread_block that entry.S needs; runtime.h asserts them. */
#ifndef RT_BLOCK_H
#define RT_BLOCK_H

#define BLOCK_SELF      0
#define BLOCK_STACK_TOP 8
#define BLOCK_USER_SP   16

#endif

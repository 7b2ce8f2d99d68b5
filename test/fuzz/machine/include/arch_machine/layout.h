/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the fuzzed machine's memory lies in a Linux process. */
#ifndef ARCH_MACHINE_LAYOUT_H
#define ARCH_MACHINE_LAYOUT_H

#include "abi/types.h"

#define DIRECT_MAP_BASE CAD_U64(0x0000200000000000)
#define POOL_BASE       CAD_U64(0x0000300000000000)
#define POOL_SPAN_BYTES CAD_U64(0x0000001000000000)
#define POOL_SPANS      32

/* e_machine of programs that run here: x86_64's */
#define MACHINE_ELF_NUMBER 62

#endif

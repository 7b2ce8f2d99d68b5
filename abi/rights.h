/* SPDX-License-Identifier: BSD-2-Clause */
/* Rights a capability may carry; derive and transfer only narrow them (CP1). */
#ifndef ABI_RIGHTS_H
#define ABI_RIGHTS_H

/* RIGHT(name, bit, meaning) */
#define CAD_RIGHT_LIST(RIGHT)                                                                      \
    RIGHT(READ, 0, "read the memory, or read facts about the object")                              \
    RIGHT(WRITE, 1, "write the memory, or send bytes")                                             \
    RIGHT(EXECUTE, 2, "map the memory executable (the only source of that right, AS3)")            \
    RIGHT(MAP, 3, "map into, or change, an address space")                                         \
    RIGHT(SPEND, 4, "charge a ledger, take frames, split an untyped")                              \
    RIGHT(CONTROL, 5, "start, stop, configure, destroy")                                           \
    RIGHT(CALL, 6, "call an endpoint")                                                             \
    RIGHT(RECEIVE, 7, "receive from an endpoint and reply")                                        \
    RIGHT(SIGNAL, 8, "signal a notification, wake a parked thread")                                \
    RIGHT(WAIT, 9, "wait on a notification, a process, a park word")                               \
    RIGHT(DERIVE, 10, "derive narrower capabilities from this one")                                \
    RIGHT(TRANSFER, 11, "copy or move this capability to another process")

#ifndef __ASSEMBLER__
#define CAD_RIGHT_ENUM(name, bit, meaning) CAD_RIGHT_##name = 1 << (bit),
enum cad_right { CAD_RIGHT_LIST(CAD_RIGHT_ENUM) };
#undef CAD_RIGHT_ENUM
#endif
#define CAD_RIGHT_NONE 0
#define CAD_RIGHT_ALL  0xfff

#endif

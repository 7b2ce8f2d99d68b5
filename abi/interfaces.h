/* SPDX-License-Identifier: BSD-2-Clause */
/* Every kind of object a capability can name, and the ledger's resources. */
#ifndef ABI_INTERFACES_H
#define ABI_INTERFACES_H

/* INTERFACE(NAME, name, number, meaning) */
#define CAD_INTERFACE_LIST(INTERFACE)                                                              \
    INTERFACE(UNTYPED, untyped, 1, "a range of frames not yet put to use")                         \
    INTERFACE(LEDGER, ledger, 2, "a budget; the right to charge it and to create objects on it")   \
    INTERFACE(FRAME_ALLOCATOR, frame_allocator, 3, "free frames, given out as memory objects")     \
    INTERFACE(MEMORY_OBJECT, memory_object, 4, "pages that can be mapped and shared")              \
    INTERFACE(VIRTUAL_MEMORY, virtual_memory, 5, "the anonymous memory of one address space")      \
    INTERFACE(ADDRESS_SPACE, address_space, 6, "where objects are mapped")                         \
    INTERFACE(CAP_TABLE, cap_table, 7, "the capabilities of one process")                          \
    INTERFACE(THREAD, thread, 8, "one thread")                                                     \
    INTERFACE(PROCESS, process, 9, "a process: space, table, ledger, threads")                     \
    INTERFACE(PROCESS_SPAWNER, process_spawner, 10, "makes processes from ELF images")             \
    INTERFACE(ENDPOINT, endpoint, 11, "synchronous calls between processes")                       \
    INTERFACE(NOTIFICATION, notification, 12, "64 signal bits with a level")                       \
    INTERFACE(PARK_SPACE, park_space, 13, "waiting on words of memory")                            \
    INTERFACE(CLOCK, clock, 14, "time, and sleeping")                                              \
    INTERFACE(CONSOLE, console, 15, "the serial console")                                          \
    INTERFACE(ENTROPY, entropy, 16, "random bytes")                                                \
    INTERFACE(INSPECTOR, inspector, 17, "read-only view of everything")                            \
    INTERFACE(MACHINE, machine, 18, "power")

/* RESOURCE(NAME, name, number, unit, status when used up) */
#define CAD_RESOURCE_LIST(RESOURCE)                                                                \
    RESOURCE(VIRTUAL, virtual, 0, "pages", QUOTA_VIRTUAL)                                          \
    RESOURCE(COMMITTED, committed, 1, "pages", QUOTA_COMMITTED)                                    \
    RESOURCE(PINNED, pinned, 2, "pages", QUOTA_PINNED)                                             \
    RESOURCE(METADATA, metadata, 3, "bytes", QUOTA_METADATA)                                       \
    RESOURCE(SLOTS, slots, 4, "slots", QUOTA_SLOTS)                                                \
    RESOURCE(THREADS, threads, 5, "threads", QUOTA_THREADS)                                        \
    RESOURCE(CALLS, calls, 6, "calls", QUOTA_CALLS)                                                \
    RESOURCE(MESSAGES, messages, 7, "messages", QUOTA_MESSAGES)                                    \
    RESOURCE(WAITERS, waiters, 8, "waiters", QUOTA_WAITERS)

#ifndef __ASSEMBLER__
#define CAD_INTERFACE_ENUM(NAME, name, number, meaning) CAD_INTERFACE_##NAME = number,
enum cad_interface { CAD_INTERFACE_NONE = 0, CAD_INTERFACE_LIST(CAD_INTERFACE_ENUM) };
#undef CAD_INTERFACE_ENUM
#define CAD_RESOURCE_ENUM(NAME, name, number, unit, status) CAD_RESOURCE_##NAME = number,
enum cad_resource { CAD_RESOURCE_LIST(CAD_RESOURCE_ENUM) };
#undef CAD_RESOURCE_ENUM
#define CAD_COUNT_ONE(...) +1
enum { CAD_INTERFACE_COUNT = 1 CAD_INTERFACE_LIST(CAD_COUNT_ONE) };
enum { CAD_RESOURCE_COUNT = 0 CAD_RESOURCE_LIST(CAD_COUNT_ONE) };
#endif

#endif

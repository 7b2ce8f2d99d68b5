/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one list of methods: dispatch, typed user clients, trace names, negative
 * tests and docs/abi.md come from it (AB1).  One method a line; numbers are
 * never reused (AB2); 0 is never used.
 *
 * METHOD(INTERFACE, interface, method, number, RIGHT, IN(m0..), OUT(m0..), "meaning")
 *
 * Argument names carry their unit.  `cap` in a name: a CapId of the caller's
 * table; results named *_cap are new slots in it.  address: a user address of
 * the caller's space; a name ending in _buffer: such an address the kernel reads
 * or writes, its length in the next argument.  deadline_ns: see invoke.h.
 */
#ifndef ABI_METHODS_H
#define ABI_METHODS_H

// clang-format off
#define CAD_METHOD_LIST(METHOD)                                                                    \
    METHOD(UNTYPED, untyped, info, 1, READ, IN(), OUT(pages, free_pages, children), "size, what is left, how many live children") \
    METHOD(UNTYPED, untyped, retype_untyped, 2, SPEND, IN(pages), OUT(untyped_cap), "a child untyped of the next pages") \
    METHOD(UNTYPED, untyped, retype_object, 3, SPEND, IN(pages), OUT(object_cap), "a memory object whose pages are the next ones of this untyped") \
    METHOD(UNTYPED, untyped, reset, 4, SPEND, IN(), OUT(), "start over; BUSY while a child or page of it lives") \
    \
    METHOD(LEDGER, ledger, info, 1, READ, IN(resource), OUT(used, limit, donated), "one resource of the budget") \
    METHOD(LEDGER, ledger, create_child, 2, SPEND, IN(), OUT(ledger_cap), "an empty child budget") \
    METHOD(LEDGER, ledger, donate, 3, SPEND, IN(child_ledger_cap, resource, amount), OUT(), "move unused limit to a child") \
    METHOD(LEDGER, ledger, take_back, 4, SPEND, IN(child_ledger_cap, resource, amount), OUT(), "move a child's unused limit back") \
    METHOD(LEDGER, ledger, create_endpoint, 5, SPEND, IN(), OUT(endpoint_cap), "a new endpoint, charged here") \
    METHOD(LEDGER, ledger, create_notification, 6, SPEND, IN(), OUT(notification_cap), "a new notification, charged here") \
    \
    METHOD(FRAME_ALLOCATOR, frame_allocator, info, 1, READ, IN(), OUT(total_pages, free_pages), "frames of the machine") \
    METHOD(FRAME_ALLOCATOR, frame_allocator, allocate, 2, SPEND, IN(pages), OUT(object_cap), "a memory object of zeroed pages") \
    METHOD(FRAME_ALLOCATOR, frame_allocator, allocate_contiguous, 3, SPEND, IN(pages, alignment_pages), OUT(object_cap), "same, physically contiguous and aligned") \
    METHOD(FRAME_ALLOCATOR, frame_allocator, allocate_untyped, 4, SPEND, IN(pages), OUT(untyped_cap), "a top-level untyped; its revoke returns the range in one step") \
    \
    METHOD(MEMORY_OBJECT, memory_object, info, 1, READ, IN(), OUT(pages, kind, id, generation), "size, CAD_OBJECT_*, identity") \
    METHOD(MEMORY_OBJECT, memory_object, map, 2, MAP, IN(space_cap, address, first_page, pages, protection, flags), OUT(address), "map a page range; address 0 lets the kernel choose") \
    METHOD(MEMORY_OBJECT, memory_object, unmap, 3, MAP, IN(space_cap, address, pages), OUT(), "remove mappings of this object only") \
    METHOD(MEMORY_OBJECT, memory_object, protect, 4, MAP, IN(space_cap, address, pages, protection), OUT(), "change protection within the mapping's ceiling") \
    \
    METHOD(VIRTUAL_MEMORY, virtual_memory, info, 1, READ, IN(), OUT(reserved_pages, committed_pages, resident_pages, table_pages), "what this space holds") \
    METHOD(VIRTUAL_MEMORY, virtual_memory, reserve, 2, MAP, IN(address, pages, protection, flags), OUT(address), "reserve addresses; address 0 lets the kernel choose, a given one is exact") \
    METHOD(VIRTUAL_MEMORY, virtual_memory, commit, 3, MAP, IN(address, pages, protection, flags), OUT(), "guarantee backing; zero pages on first touch, or now with CAD_COMMIT_EAGER; whole aligned 2 MiB by 2 MiB pages, or not with CAD_COMMIT_SMALL; with CAD_COMMIT_NEW all of the range or nothing") \
    METHOD(VIRTUAL_MEMORY, virtual_memory, decommit, 4, MAP, IN(address, pages), OUT(), "give the backing up, keep the reservation; recommit reads zero") \
    METHOD(VIRTUAL_MEMORY, virtual_memory, protect, 5, MAP, IN(address, pages, protection), OUT(), "change protection; none keeps data and charge") \
    METHOD(VIRTUAL_MEMORY, virtual_memory, unmap, 6, MAP, IN(address, pages), OUT(), "give reservation and backing up") \
    \
    METHOD(ADDRESS_SPACE, address_space, info, 1, READ, IN(), OUT(id, generation, root_frame), "identity") \
    METHOD(ADDRESS_SPACE, address_space, query, 2, READ, IN(address), OUT(state, protection, start, pages), "the uniform run around an address") \
    \
    METHOD(CAP_TABLE, cap_table, derive, 1, CONTROL, IN(source_cap, rights, badge), OUT(derived_cap), "a narrower child; badge 0 keeps the badge") \
    METHOD(CAP_TABLE, cap_table, delete, 2, CONTROL, IN(target_cap), OUT(), "drop one capability; its children move up to its parent") \
    METHOD(CAP_TABLE, cap_table, revoke, 3, CONTROL, IN(target_cap), OUT(), "delete everything derived from it, wherever it is") \
    METHOD(CAP_TABLE, cap_table, describe, 4, READ, IN(target_cap), OUT(interface, rights, badge), "what a capability is") \
    METHOD(CAP_TABLE, cap_table, info, 5, READ, IN(), OUT(used_slots), "how many slots are in use") \
    \
    METHOD(THREAD, thread, info, 1, READ, IN(), OUT(id, state, priority, cpu, run_ns), "facts") \
    METHOD(THREAD, thread, set_priority, 2, CONTROL, IN(priority), OUT(), "0..31, not above the process's own") \
    METHOD(THREAD, thread, kill, 3, CONTROL, IN(), OUT(), "end it wherever it is") \
    METHOD(THREAD, thread, wait, 4, WAIT, IN(deadline_ns), OUT(), "until it has ended") \
    \
    METHOD(PROCESS, process, info, 1, READ, IN(), OUT(id, state, threads), "facts") \
    METHOD(PROCESS, process, exit, 2, CONTROL, IN(status), OUT(), "end the process with a status 0..255") \
    METHOD(PROCESS, process, kill, 3, CONTROL, IN(), OUT(), "end it from outside (CAD_EXIT_KILLED)") \
    METHOD(PROCESS, process, wait, 4, WAIT, IN(deadline_ns), OUT(reason, status, fault_address), "until it has ended and given everything back; CAD_EXIT_*") \
    METHOD(PROCESS, process, set_foreign_handler, 5, CONTROL, IN(address), OUT(), "where traps that are not ours continue; once") \
    METHOD(PROCESS, process, create_thread, 6, CONTROL, IN(pc_address, stack_address, argument, tls, runtime, priority), OUT(thread_cap), "a thread, ready to run; priority 0..31, or CAD_PRIORITY_SAME") \
    METHOD(PROCESS, process, thread_exit, 7, CONTROL, IN(word_address), OUT(), "end the calling thread; a non-zero address's 32-bit word is set to 0 and its waiters woken") \
    METHOD(PROCESS, process, thread_yield, 8, CONTROL, IN(), OUT(), "let others of the same priority run") \
    METHOD(PROCESS, process, thread_set_pointers, 9, CONTROL, IN(which, tls, runtime), OUT(), "the calling thread's pointers; which: bit 0 tls, bit 1 runtime") \
    METHOD(PROCESS, process, thread_self, 10, CONTROL, IN(), OUT(id), "the calling thread's number; the cheapest valid invocation") \
    METHOD(PROCESS, process, ring_create, 11, CONTROL, IN(), OUT(address), "map the calling thread's ring (abi/ring.h)") \
    METHOD(PROCESS, process, ring_enter, 12, CONTROL, IN(submissions), OUT(completed), "run up to that many submissions of the calling thread's ring") \
    METHOD(PROCESS, process, start_thread, 13, CONTROL, IN(pc_address, stack_address, argument, tls, runtime, priority), OUT(), "as create_thread, without a capability for it") \
    \
    METHOD(PROCESS_SPAWNER, process_spawner, spawn, 1, CONTROL, IN(request_buffer, request_bytes), OUT(process_cap), "a process from struct cad_spawn_request") \
    \
    METHOD(ENDPOINT, endpoint, call, 1, CALL, IN(word0, word1, word2, word3, transfer, cap0, cap1, cap2, cap3, deadline_ns), OUT(word0, word1, word2, word3, transfer, cap0, cap1, cap2, cap3), "send and wait for the reply") \
    METHOD(ENDPOINT, endpoint, receive, 2, RECEIVE, IN(deadline_ns), OUT(word0, word1, word2, word3, transfer, cap0, cap1, cap2, cap3, token), "wait for a call; the badge is the caller's capability's") \
    METHOD(ENDPOINT, endpoint, reply, 3, RECEIVE, IN(word0, word1, word2, word3, transfer, cap0, cap1, cap2, cap3, token), OUT(), "answer a call, once") \
    METHOD(ENDPOINT, endpoint, reply_receive, 4, RECEIVE, IN(word0, word1, word2, word3, transfer, cap0, cap1, cap2, cap3, token), OUT(word0, word1, word2, word3, transfer, cap0, cap1, cap2, cap3, token), "answer and wait for the next, without end") \
    \
    METHOD(NOTIFICATION, notification, signal, 1, SIGNAL, IN(bits), OUT(), "set bits and wake one waiter") \
    METHOD(NOTIFICATION, notification, wait, 2, WAIT, IN(deadline_ns), OUT(bits), "take all set bits; wait while there are none") \
    \
    METHOD(PARK_SPACE, park_space, park, 1, WAIT, IN(address, expected, deadline_ns), OUT(), "wait while the 32-bit word holds `expected`; MISMATCH if it does not") \
    METHOD(PARK_SPACE, park_space, unpark, 2, SIGNAL, IN(address, count), OUT(woken), "wake up to count threads parked on the word, first come first") \
    \
    METHOD(CLOCK, clock, now, 1, READ, IN(), OUT(monotonic_ns, boot_wall_seconds), "time since boot, and the wall clock at boot") \
    METHOD(CLOCK, clock, sleep, 2, WAIT, IN(deadline_ns), OUT(), "until the deadline") \
    \
    METHOD(CONSOLE, console, write, 1, WRITE, IN(data_buffer, data_bytes), OUT(written_bytes), "bytes to the console, at most CAD_CONSOLE_WRITE_MAX a call") \
    METHOD(CONSOLE, console, read, 2, READ, IN(data_buffer, data_bytes, deadline_ns), OUT(read_bytes), "bytes that were typed, at least one") \
    \
    METHOD(ENTROPY, entropy, fill, 1, READ, IN(data_buffer, data_bytes), OUT(), "random bytes, at most 256 a call") \
    \
    METHOD(INSPECTOR, inspector, read, 1, READ, IN(kind, first, data_buffer, data_bytes, argument), OUT(records, next), "records of abi/inspect.h from cursor `first`; next 0 is the end") \
    METHOD(INSPECTOR, inspector, audit, 2, READ, IN(data_buffer, data_bytes), OUT(violations, checked, records), "check everything against everything; violation records to the buffer") \
    \
    METHOD(MACHINE, machine, power_off, 1, CONTROL, IN(status), OUT(), "end the machine; status 0..100 reaches the emulator") \
    METHOD(MACHINE, machine, reboot, 2, CONTROL, IN(), OUT(), "start over") \
    METHOD(MACHINE, machine, info, 3, READ, IN(), OUT(cpus, total_pages, tick_hz), "facts") \
    METHOD(MACHINE, machine, starve, 4, CONTROL, IN(what, first, count), OUT(passed, refused, status), "kernels for tests alone, else BAD_CALL: make steps of the calling thread run out, by number from 1, and tell of the last such order; status: of the first step refused")
// clang-format on

/* METHOD_<INTERFACE>_<method> */
#ifndef __ASSEMBLER__
#define CAD_METHOD_ENUM(INTERFACE, interface, method, number, right, in, out, meaning)             \
    CAD_METHOD_##INTERFACE##_##method = (number),
enum cad_method { CAD_METHOD_LIST(CAD_METHOD_ENUM) };
#undef CAD_METHOD_ENUM
#endif
enum { CAD_METHOD_NUMBER_MAX = 15 };

/* memory_object.map flags */
#define CAD_MAP_POPULATE 1 /* make every page present now */
/* virtual_memory.commit flags */
#define CAD_COMMIT_EAGER 1 /* pages of zeroes now, as far as frames go */
#define CAD_COMMIT_SMALL 2 /* pages of 4 KiB only, each filled by itself */
#define CAD_COMMIT_NEW   4 /* OVERLAP if any page is committed: so all are zero, as asked for */
#define CAD_CONSOLE_WRITE_MAX 4096
/* machine.starve's what: nothing (only tell), the thread's next invocation, its page faults */
#define CAD_STARVE_NOTHING 0
#define CAD_STARVE_CALL    1
#define CAD_STARVE_FAULT   2
/* create_thread, spawn: the priority of the calling thread */
#define CAD_PRIORITY_SAME 255

/* address_space.query's state: core/entry.h has the same numbers (it asserts so).
 * PAGE_STATE(NAME, number, meaning) */
#define CAD_PAGE_STATE_LIST(PAGE_STATE)                                                            \
    PAGE_STATE(NONE, 0, "nothing is here")                                                         \
    PAGE_STATE(RESERVED, 2, "anonymous reservation, not committed")                                \
    PAGE_STATE(COMMITTED, 3, "a page of zeroes on first touch")                                    \
    PAGE_STATE(RESIDENT, 4, "anonymous, present")                                                  \
    PAGE_STATE(HIDDEN, 5, "committed, protection none, data kept")                                 \
    PAGE_STATE(BORROWED, 6, "a page of a memory object")                                           \
    PAGE_STATE(GUARD, 7, "never mappable")                                                         \
    PAGE_STATE(SYSTEM, 8, "ring or CapSet page")
#ifndef __ASSEMBLER__
#define CAD_PAGE_STATE_ENUM(NAME, number, meaning) CAD_PAGE_##NAME = number,
enum cad_page_state { CAD_PAGE_STATE_LIST(CAD_PAGE_STATE_ENUM) };
#undef CAD_PAGE_STATE_ENUM
#endif

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * inspector.read: records of abi/inspect.h, at one moment (the world is stopped
 * meanwhile).  Each kind has a function that makes the record at or after a
 * cursor and moves the cursor past it.  The records themselves are made in
 * kernel/inspect_records.c.
 */
#include "kernel/inspect_records.h"

#include "arch/timer.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/user_copy.h"
#include "kernel/world.h"

/* How long one read may stop the world, after the first records: so many are always
 * of one moment, and a kind of fewer is whole. */
#define READ_NS      UINT64_C(10000000)
#define READ_RECORDS 64

struct inspect_row {
    uint32_t record_bytes;
    bool (*next)(struct inspect_cursor *cursor, union inspect_record *record);
};

#define INSPECT_ROW(NAME, number, record, meaning)                                                 \
    [CAD_INSPECT_##NAME] = {sizeof(struct record), inspect_##NAME},
static const struct inspect_row rows[] = {CAD_INSPECT_LIST(INSPECT_ROW)};
#undef INSPECT_ROW

struct inspect_buffer {
    virt_addr_t address;
    uint64_t room, records;
};

/* Needs: the world stopped; not for long: the cursor says where to go on. */
static status_t records_copy(struct process *process, const struct inspect_row *row,
                             struct inspect_cursor *cursor, struct inspect_buffer *buffer)
{
    union inspect_record record;
    uint64_t until_ns = timer_now_ns() + READ_NS;
    bool more = true;

    while (buffer->records < buffer->room &&
           (buffer->records < READ_RECORDS || timer_now_ns() < until_ns)) {
        __builtin_memset(&record, 0, sizeof(record));
        more = row->next(cursor, &record);
        if (!more)
            break;
        status_t status = copy_to_user(process,
                                       buffer->address + buffer->records * row->record_bytes,
                                       &record, row->record_bytes);
        if (status != CAD_OK)
            return status;
        buffer->records++;
    }
    if (!more)
        cursor->at = 0;
    return CAD_OK;
}

status_t method_inspector_read(struct invocation *call)
{
    uint64_t kind = argument(call, 0);
    struct inspect_cursor cursor = {.at = argument(call, 1), .argument = argument(call, 4)};
    struct inspect_buffer buffer = {.address = argument(call, 2)};

    if (kind >= ARRAY_COUNT(rows) || rows[kind].next == NULL)
        return CAD_INVALID;
    buffer.room = argument(call, 3) / rows[kind].record_bytes;
    if (buffer.room == 0)
        return CAD_INVALID;
    world_stop();
    status_t status = records_copy(call->process, &rows[kind], &cursor, &buffer);
    world_resume();
    if (status != CAD_OK)
        return status;
    if (cursor.not_found)
        return CAD_NOT_FOUND;
    result(call, 0, buffer.records);
    result(call, 1, cursor.at);
    return CAD_OK;
}

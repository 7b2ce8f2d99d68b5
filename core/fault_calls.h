// SPDX-License-Identifier: BSD-2-Clause
/*
 * In builds with fault points, every call of a primitive passes its point first.
 * Included by core/cadastre.h, so that call sites need no mark; who defines a primitive
 * undefines its macro before, and includes this again if it calls it too.
 */
#ifdef CONFIG_FAULT_POINTS
#define FAULT_CALL(cpu, name, status, otherwise, call)                                             \
    (FAULT_POINT(cpu, name, status) ? (otherwise) : (call))

#define ledger_reserve(cpu, ledger, what, amount)                                                  \
    FAULT_CALL(cpu, ledger_reserve, ledger_quota_status(what), ledger_quota_status(what),          \
               (ledger_reserve)(cpu, ledger, what, amount))
#define id_pool_take(cpu, pool, index)                                                             \
    FAULT_CALL(cpu, id_pool_take, CAD_PRESSURE, false, (id_pool_take)(cpu, pool, index))
#define frame_take_kernel(cpu, kind, owner, detail)                                                \
    FAULT_CALL(cpu, frame_take_kernel, CAD_PRESSURE, FRAME_NONE,                                   \
               (frame_take_kernel)(cpu, kind, owner, detail))
#define frame_take_anon(cpu, table_frame, slot)                                                    \
    FAULT_CALL(cpu, frame_take_anon, CAD_PRESSURE, FRAME_NONE,                                     \
               (frame_take_anon)(cpu, table_frame, slot))
#define frame_take_object(cpu, object, page)                                                       \
    FAULT_CALL(cpu, frame_take_object, CAD_PRESSURE, FRAME_NONE,                                   \
               (frame_take_object)(cpu, object, page))
#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * authority: what capabilities, ledgers, untyped memory, grants and the
 * inspector promise, and each refusal.  Ends with the ledger as it was.
 */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "abi/inspect.h"
#include "abi/methods.h"
#include "abi/rights.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"

extern cap_id_t self_table, self_space, self_memory, self_ledger, allocator, inspector;

/* A child with these rights and no badge of its own. */
cap_id_t derive(cap_id_t cap, uint64_t rights);
void drop(cap_id_t cap);
/* The capability does not resolve any more. */
void check_stale(cap_id_t cap);
uint64_t ledger_used(cap_id_t ledger, enum cad_resource what);

void test_capabilities(void);
void test_ledgers(void);
void test_untyped(void);
void test_execute(void);
void test_grants(void);
void test_inspector(void);

/* What the child of test_grants does: argv[1] is "child". */
int grants_child(void);

#endif

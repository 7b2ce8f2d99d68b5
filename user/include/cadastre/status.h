// SPDX-License-Identifier: BSD-2-Clause
/* Names and meanings of the ABI's numbers, from their lists. */
#ifndef CADASTRE_STATUS_H
#define CADASTRE_STATUS_H

#include <stdint.h>

#include "abi/exit.h"
#include "abi/status.h"

/* Gives: "STALE"; "unknown status" for a number that is none. */
const char *cad_status_name(status_t status);
/* Gives: "no such capability, or it was deleted or revoked". */
const char *cad_status_meaning(status_t status);

/* Gives: "page fault" for CAD_EXIT_PAGE_FAULT. */
const char *cad_exit_name(uint64_t reason);

const char *cad_interface_name(unsigned interface);
const char *cad_resource_name(unsigned resource);
const char *cad_role_name(unsigned role);
/* Gives: 0 if no role has that name. */
unsigned cad_role_by_name(const char *name);
/* The unit in which a resource is counted: "pages", "bytes" ... */
const char *cad_resource_unit(unsigned resource);

#endif

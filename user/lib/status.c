// SPDX-License-Identifier: BSD-2-Clause
/* Each switch is one list of abi/: a name can not be missing or out of date. */
#include "cadastre/status.h"

#include <string.h>

#include "abi/capset.h"
#include "abi/interfaces.h"

const char *cad_status_name(status_t status)
{
#define CASE(name, number, layer, meaning)                                                         \
    case CAD_##name:                                                                               \
        return #name;
    switch (status) {
        CAD_STATUS_LIST(CASE)
    }
#undef CASE
    return "unknown status";
}

const char *cad_status_meaning(status_t status)
{
#define CASE(name, number, layer, meaning)                                                         \
    case CAD_##name:                                                                               \
        return meaning;
    switch (status) {
        CAD_STATUS_LIST(CASE)
    }
#undef CASE
    return "no status of this system";
}

const char *cad_exit_name(uint64_t reason)
{
    switch ((enum cad_exit)reason) {
    case CAD_EXIT_STATUS:
        return "ended";
    case CAD_EXIT_KILLED:
        return "killed";
    case CAD_EXIT_PAGE_FAULT:
        return "page fault";
    case CAD_EXIT_OUT_OF_MEMORY:
        return "out of memory";
    case CAD_EXIT_ILLEGAL_INSTRUCTION:
        return "illegal instruction";
    case CAD_EXIT_ARITHMETIC:
        return "arithmetic fault";
    case CAD_EXIT_PROTECTION:
        return "general protection fault";
    case CAD_EXIT_BREAKPOINT:
        return "breakpoint with no debugger";
    case CAD_EXIT_ALIGNMENT:
        return "misaligned access";
    case CAD_EXIT_BAD_TRAP:
        return "system call with no handler";
    }
    return "unknown reason";
}

const char *cad_interface_name(unsigned interface)
{
#define CASE(NAME, name, number, meaning)                                                          \
    case number:                                                                                   \
        return #name;
    switch (interface) {
        CAD_INTERFACE_LIST(CASE)
    }
#undef CASE
    return "unknown interface";
}

const char *cad_resource_name(unsigned resource)
{
#define CASE(NAME, name, number, unit, status)                                                     \
    case number:                                                                                   \
        return #name;
    switch (resource) {
        CAD_RESOURCE_LIST(CASE)
    }
#undef CASE
    return "unknown resource";
}

const char *cad_resource_unit(unsigned resource)
{
#define CASE(NAME, name, number, unit, status)                                                     \
    case number:                                                                                   \
        return unit;
    switch (resource) {
        CAD_RESOURCE_LIST(CASE)
    }
#undef CASE
    return "";
}

const char *cad_role_name(unsigned role)
{
#define CASE(NAME, name, number, meaning)                                                          \
    case number:                                                                                   \
        return #name;
    switch (role) {
        CAD_ROLE_LIST(CASE)
    }
#undef CASE
    return "unknown role";
}

unsigned cad_role_by_name(const char *name)
{
#define COMPARE(NAME, role_name, number, meaning)                                                  \
    if (strcmp(name, #role_name) == 0)                                                             \
        return number;
    CAD_ROLE_LIST(COMPARE)
#undef COMPARE
    return 0;
}

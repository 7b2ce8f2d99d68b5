// SPDX-License-Identifier: BSD-2-Clause
/* Start of a process: handler and thread pointer set, then on to the program. */
#include <elf.h>

#include "runtime.h"

static struct thread_block first_block;

void runtime_fail(const char *what, status_t status)
{
    char line[128];
    size_t used = text_append(line, sizeof(line), 0, "rt: ");

    used = text_append(line, sizeof(line), used, what);
    used = text_append(line, sizeof(line), used, ": status ");
    used = text_append_number(line, sizeof(line), used, status);
    used = text_append(line, sizeof(line), used, "\n");
    (void)console_write(line, used);
    process_exit(127);
}

void process_exit(unsigned status)
{
    for (;;) {
        (void)cad_process_exit(cad_find(CAD_ROLE_SELF_PROCESS), status & 0xff);
        __builtin_trap(); /* only if even that is refused */
    }
}

/* The auxiliary vector follows argc, argv, NULL, envp, NULL. */
static const Elf64_auxv_t *auxiliary_vector(const uint64_t *stack)
{
    const uint64_t *word = stack + 1 + stack[0] + 1;

    while (*word != 0)
        word++;
    return (const Elf64_auxv_t *)(word + 1);
}

static uint64_t auxiliary_value(const Elf64_auxv_t *entry, uint64_t type)
{
    for (; entry->a_type != AT_NULL; entry++) {
        if (entry->a_type == type)
            return entry->a_un.a_val;
    }
    return 0;
}

uint64_t runtime_initialize(uint64_t *stack)
{
    cap_id_t self = cad_find(CAD_ROLE_SELF_PROCESS);
    uint64_t entry = auxiliary_value(auxiliary_vector(stack), AT_ENTRY);
    status_t status;

    if (cad_capset()->magic != CAD_CAPSET_MAGIC || (uint64_t)rt_base != CAD_RUNTIME_BASE)
        runtime_fail("not started by this system's kernel", CAD_INVALID);
    first_block.self = &first_block;
    first_block.stack_top = (uint64_t)rt_first_stack_top;
    threads_initialize(&first_block);
    console_initialize();
    status = cad_process_thread_set_pointers(self, 2, 0, (uint64_t)&first_block);
    if (status != CAD_OK)
        runtime_fail("no thread pointer", status);
    status = cad_process_set_foreign_handler(self, (uint64_t)rt_foreign_entry);
    if (status != CAD_OK)
        runtime_fail("no handler for Linux system calls", status);
    if (entry == 0)
        runtime_fail("no program to start", CAD_NOT_FOUND);
    return entry;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plugin of the emulator: the longest stay in the kernel, in instructions.
 *
 * The kernel runs with interrupts off but where it idles or asks for them, so a stay is
 * the time for which an interrupt may have to wait.  One CPU.  A block
 * counts whole; one that a fault cuts short counts a little too much.
 *
 * Arguments: begin=, end=: addresses of a program's marks; idle=, idle_end=, take=,
 * take_end=: of cpu_idle() and cpu_take_interrupts(), where interrupts are on.
 * At each end mark: "stay <longest since the begin mark>"; at exit "stay_ever
 * <longest>", since the first.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The emulator's interface, version 1 (its header is in no package). */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*see)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
                                          void (*see)(unsigned, void *),
                                          enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*see)(qemu_plugin_id_t, void *),
                                    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
void qemu_plugin_outs(const char *text);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/* Of a block, what its number of instructions is or-ed with. */
#define KERNEL      (UINT64_C(1) << 63)
#define MARK_BEGIN  (UINT64_C(1) << 62)
#define MARK_END    (UINT64_C(1) << 61)
#define OPEN        (UINT64_C(1) << 60)
#define COUNT(kind) ((kind) & UINT32_MAX)

static uint64_t begin, end, idle, idle_end, take, take_end;
static uint64_t stay, longest, longest_ever;
static bool has_begun; /* the first mark was seen */

static void stay_over(void)
{
    if (stay > longest)
        longest = stay;
    if (stay > longest_ever && has_begun)
        longest_ever = stay;
    stay = 0;
}

static void block_runs(unsigned cpu, void *data)
{
    uint64_t kind = (uint64_t)(uintptr_t)data;
    char line[64];

    (void)cpu;
    if ((kind & OPEN) != 0) {
        stay_over();
        return;
    }
    if ((kind & KERNEL) != 0) {
        stay += COUNT(kind);
        return;
    }
    stay_over();
    if ((kind & MARK_BEGIN) != 0) {
        has_begun = true;
        longest = 0;
    }
    if ((kind & MARK_END) != 0) {
        snprintf(line, sizeof line, "stay %" PRIu64 "\n", longest);
        qemu_plugin_outs(line);
    }
}

static void block_made(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    uint64_t address = qemu_plugin_tb_vaddr(block);
    uint64_t kind = qemu_plugin_tb_n_insns(block);

    (void)id;
    if (address >> 63 != 0)
        kind |= KERNEL;
    if (address == begin)
        kind |= MARK_BEGIN;
    if (address == end)
        kind |= MARK_END;
    if ((address >= idle && address < idle_end) || (address >= take && address < take_end))
        kind |= OPEN;
    qemu_plugin_register_vcpu_tb_exec_cb(block, block_runs, QEMU_PLUGIN_CB_NO_REGS,
                                         (void *)(uintptr_t)kind);
}

static void machine_ends(qemu_plugin_id_t id, void *unused)
{
    char line[64];

    (void)id;
    (void)unused;
    snprintf(line, sizeof line, "stay_ever %" PRIu64 "\n", longest_ever);
    qemu_plugin_outs(line);
}

static const struct argument {
    const char *name;
    uint64_t *value;
} arguments[] = {{"begin=", &begin}, {"end=", &end},   {"idle=", &idle}, {"idle_end=", &idle_end},
               {"take=", &take},   {"take_end=", &take_end}};

__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        for (size_t k = 0; k < sizeof arguments / sizeof arguments[0]; k++) {
            size_t length = strlen(arguments[k].name);
            if (strncmp(argv[i], arguments[k].name, length) == 0)
                *arguments[k].value = strtoull(argv[i] + length, NULL, 0);
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_made);
    qemu_plugin_register_atexit_cb(id, machine_ends, NULL);
    return 0;
}

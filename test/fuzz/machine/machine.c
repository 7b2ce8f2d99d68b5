// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "test/fuzz/machine/machine.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/boot.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "core/asid.h"

#define ARCHIVE_FRAME 64u
#define CLOCK_STEP_NS 20000u /* each look at the clock takes so long */

struct arch_cpu *machine_cpu;
void (*machine_moment)(void);
uint64_t machine_now_ns, machine_deadline_ns = UINT64_MAX;
uint64_t boot_entry_cycles;

static int memory_file;
static jmp_buf booted;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "fuzzed machine: %s\n", what);
    abort();
}

static void map_frames(uint64_t address, frame_no_t first, uint64_t count)
{
    void *got = mmap((void *)address, count * PAGE_SIZE, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_FIXED, memory_file, (off_t)frame_address(first));
    if (got != (void *)address)
        fail("a page cannot be mapped");
}

/* --- boot --- */

void machine_boot(const uint8_t *archive, size_t bytes)
{
    static struct boot_info boot;

    memory_file = memfd_create("frames", 0);
    if (memory_file < 0 || ftruncate(memory_file, (off_t)MACHINE_PAGES * PAGE_SIZE) != 0)
        fail("no memory");
    map_frames(DIRECT_MAP_BASE, 0, MACHINE_PAGES);
    memcpy(frame_pointer(ARCHIVE_FRAME), archive, bytes);
    boot = (struct boot_info){
        .regions = {{0, frame_address(MACHINE_PAGES), BOOT_REGION_USABLE}},
        .region_count = 1,
        .archive_start = frame_address(ARCHIVE_FRAME),
        .archive_end = frame_address(ARCHIVE_FRAME) + bytes,
        .protocol = "fuzz",
    };
    if (setjmp(booted) == 0)
        kernel_main(&boot);
}

_Noreturn void trap_leave(void)
{
    longjmp(booted, 1);
}

frame_no_t boot_frame_limit(const struct boot_info *boot)
{
    return MACHINE_PAGES;
}

_Noreturn void machine_refuse(const char *reason, uint64_t value)
{
    fail(reason);
}

/* --- the CPU --- */

unsigned cpu_count(void)
{
    return 1;
}

unsigned cpu_possible(void)
{
    return 1;
}

unsigned cpu_start_all(void)
{
    return 1;
}

void cpu_attach(unsigned index, struct arch_cpu *cpu)
{
    cpu->self = cpu;
    cpu->index = index;
    if (index == 0)
        machine_cpu = cpu;
}

void cpu_send_ipi(unsigned index, enum ipi ipi)
{
    if (index != 0)
        fail("an interrupt for a CPU that is not there");
}

void cpu_idle(void)
{
    fail("idle, although init can always run");
}

void cpu_take_interrupts(void)
{
}

_Noreturn void cpu_halt_forever(void)
{
    fail("halted");
}

bool cpu_hardware_random(uint64_t *value)
{
    static uint64_t seed;

    *value = seed += UINT64_C(0x9e3779b97f4a7c15);
    return true;
}

/* --- contexts --- */

void context_init(struct arch_context *context, uint64_t pc, uint64_t sp, uint64_t argument,
                  uint64_t tls, uint64_t runtime)
{
    *context = (struct arch_context){
        .rip = pc, .rsp = sp, .rdi = argument, .fs_base = tls, .gs_base = runtime};
}

void context_set_tls(struct arch_context *context, uint64_t tls)
{
    context->fs_base = tls;
}

void context_set_runtime(struct arch_context *context, uint64_t runtime)
{
    context->gs_base = runtime;
}

void context_bounce(struct arch_context *context, uint64_t handler)
{
    context->rcx = context->rip;
    context->rip = handler;
}

void context_restart(struct arch_context *context)
{
    context->rip -= 2;
}

void fpu_state_init(struct arch_fpu *fpu)
{
    memset(fpu, 0, sizeof(*fpu));
}

/* --- memory --- */

const struct mmu_format *mmu_format(void)
{
    static const uint64_t no_execute = UINT64_C(1) << 63, block = 1 << 7, write = 2, user = 4;
    static struct mmu_format format = {.accessed = 1 << 5, .dirty = 1 << 6};
    const uint64_t read = MMU_PRESENT | user | no_execute;

    format.table = MMU_PRESENT | write | user;
    format.page[CAD_PROT_READ] = read;
    format.page[CAD_PROT_READ | CAD_PROT_WRITE] = read | write;
    format.page[CAD_PROT_READ | CAD_PROT_EXECUTE] = MMU_PRESENT | user;
    for (unsigned i = 0; i < 8; i++)
        format.block[i] = format.page[i] != 0 ? format.page[i] | block : 0;
    return &format;
}

void mmu_root_init(frame_no_t root)
{
}

frame_no_t mmu_kernel_root(void)
{
    return FRAME_NONE;
}

bool mmu_has_tags = true;

/* What is kept must be of the same tables. */
void machine_switch_tagged(frame_no_t root, uint32_t tag, bool keeps)
{
    static frame_no_t roots[ASID_TAGS + 1];

    if (tag == ASID_NONE || tag > ASID_TAGS)
        fail("no such tag");
    if (keeps && roots[tag] != root)
        fail("another space's translations are kept");
    roots[tag] = root;
}

void mmu_flush_page(virt_addr_t address)
{
}

void mmu_flush_user(void)
{
}

bool mmu_kernel_map(uint64_t address, frame_no_t frame, frame_no_t (*take_table)(void))
{
    map_frames(address, frame, 1);
    return true;
}

void pages_clear(frame_no_t first, uint32_t count)
{
    /* A loop or memset() would have the sanitizer look at each byte first. */
    void *to = frame_pointer(first);
    uint64_t words = count * (PAGE_SIZE / sizeof(uint64_t));

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(0) : "memory");
}

void page_copy(frame_no_t to, frame_no_t from)
{
    memcpy(frame_pointer(to), frame_pointer(from), PAGE_SIZE);
}

/* --- time, console, power --- */

uint64_t timer_now_ns(void)
{
    return machine_now_ns += CLOCK_STEP_NS;
}

uint64_t timer_cycles_to_ns(uint64_t cycles)
{
    return cycles;
}

uint64_t timer_ns_to_cycles(uint64_t ns)
{
    return ns;
}

void timer_arm(uint64_t deadline_ns)
{
    machine_deadline_ns = deadline_ns;
}

void timer_disarm(void)
{
    machine_deadline_ns = UINT64_MAX;
}

uint64_t timer_boot_wall_seconds(void)
{
    return 0;
}

void machine_console_write(const char *bytes, size_t count)
{
    if (getenv("FUZZ_CONSOLE") != NULL)
        fwrite(bytes, 1, count, stderr);
}

void machine_console_listen(void)
{
}

_Noreturn void machine_power_off(unsigned status)
{
    fail("powered off");
}

_Noreturn void machine_reboot(void)
{
    fail("rebooted");
}

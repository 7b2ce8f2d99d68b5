// SPDX-License-Identifier: BSD-2-Clause
/*
 * A kernel with nothing but the machine in it: checks what arch/include/arch
 * promises, on all CPUs, and ends the emulator with 0 or 1.  With `panic=NAME`
 * on the command line it breaks itself instead, for run.py to read the report.
 *
 * A job is one user thread that runs a label of user.S and must end in a given
 * way; each CPU has the same list and runs THREADS_AT_ONCE of it at a time,
 * changing between them at each timer interrupt.
 */
#include "image.h"

#include "acpi.h"
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "base/print.h"
#include "boot/boot_info.h"
#include "cpu_features.h"
#include "instructions.h"

#define THREADS_AT_ONCE  3
#define SLICE_NS         200000
#define IPI_ROUNDS       200
#define PATIENCE_NS      UINT64_C(10000000000) /* emulated CPUs may wait for real ones */
#define CLOCK_ROUNDS     20000
#define TIMER_TEST_NS    3000000
#define CPUID_7_ECX_UMIP 4
#define NUMBER_BASE      UINT64_C(0x1111000000000000)

extern const char user_start[], user_end[];
extern const char user_words[], user_registers[], user_fpu[], user_tls[], user_bounce[];
extern const char user_bounced[], user_read[], user_write[], user_jump[], user_divide[];
extern const char user_illegal[], user_breakpoint[], user_privileged[], user_astray[];
extern const char user_x87[], user_step[], user_stack[], user_interrupt[];
extern const char user_tables[];

struct job {
    const char *name, *code;
    uint64_t argument;
    uint32_t flag;
    bool faults;
    struct fault expected;
};

#define NON_CANONICAL UINT64_C(0x0000800000000000)
#define RUNS(code)                 {#code, code, 0, 0, false, {0}}
#define FAULTS(code, argument, ...) {#code, code, argument, 0, true, {__VA_ARGS__}}
#define PAGE(at, what, there)                                                                      \
    .kind = FAULT_PAGE, .address = (at), .access = CAD_PROT_##what, .present = (there)

#define JOB_TABLES 1
static struct job jobs[] = {
    RUNS(user_words),
    [JOB_TABLES] = RUNS(user_tables), /* a fault with UMIP */
    RUNS(user_registers),
    RUNS(user_registers),
    RUNS(user_registers),
    RUNS(user_fpu),
    RUNS(user_fpu),
    RUNS(user_fpu),
    RUNS(user_tls),
    RUNS(user_tls),
    RUNS(user_tls),
    RUNS(user_bounce),
    FAULTS(user_read, USER_NOTHING, PAGE(USER_NOTHING, READ, false)),
    FAULTS(user_read, DIRECT_MAP_BASE + PAGE_SIZE, PAGE(DIRECT_MAP_BASE + PAGE_SIZE, READ, true)),
    FAULTS(user_read, KERNEL_BASE + 0x100000, PAGE(KERNEL_BASE + 0x100000, READ, true)),
    FAULTS(user_read, NON_CANONICAL, .kind = FAULT_PROTECTION),
    FAULTS(user_write, USER_FIXED + 8, PAGE(USER_FIXED + 8, WRITE, true)),
    FAULTS(user_write, USER_CODE, PAGE(USER_CODE, WRITE, true)),
    FAULTS(user_write, USER_NOTHING, PAGE(USER_NOTHING, WRITE, false)),
    FAULTS(user_jump, USER_DATA, PAGE(USER_DATA, EXECUTE, true)),
    FAULTS(user_jump, USER_NOTHING, PAGE(USER_NOTHING, EXECUTE, false)),
    FAULTS(user_divide, 0, .kind = FAULT_ARITHMETIC),
    FAULTS(user_illegal, 0, .kind = FAULT_ILLEGAL_INSTRUCTION),
    FAULTS(user_breakpoint, 0, .kind = FAULT_BREAKPOINT),
    FAULTS(user_privileged, 0, .kind = FAULT_PROTECTION),
    FAULTS(user_interrupt, 0, .kind = FAULT_PROTECTION),
    FAULTS(user_x87, 0, .kind = FAULT_ARITHMETIC),
    FAULTS(user_astray, 0, .kind = FAULT_PROTECTION),
    FAULTS(user_step, 0, .kind = FAULT_BREAKPOINT),
    FAULTS(user_stack, USER_NOTHING, PAGE(USER_NOTHING - 8, WRITE, false)),
};

struct thread {
    struct arch_context context;
    struct arch_fpu fpu;
    const struct job *job;
};

struct test_cpu {
    struct arch_cpu arch; /* first */
    struct thread threads[THREADS_AT_ONCE];
    struct thread *current;
    unsigned next_job, done, switches;
    frame_no_t root;
    uint32_t ipis[2];
    bool clock_done, user_done;
};

static struct test_cpu cpus[CPU_MAX];
static uint32_t failures, input_count;
static bool timer_fired;
static struct boot_info *boot_memory;

/* On the command line? */
static bool asked_for(const char *word)
{
    for (const char *at = boot_memory->command_line; *at != '\0'; at++) {
        size_t same = 0;
        while (word[same] != '\0' && at[same] == word[same])
            same++;
        if (word[same] == '\0')
            return true;
    }
    return false;
}

static struct test_cpu *this_cpu(void)
{
    return (struct test_cpu *)cpu_self();
}

static void expect(bool good, const char *what, uint64_t value)
{
    if (good)
        return;
    atomic_fetch_add(&failures, 1);
    print("FAIL cpu %u: %s (0x%lx)\n", cpu_self()->index, what, value);
}

/* ---- memory of the users: one space a CPU ---- */

static frame_no_t take(void)
{
    frame_no_t frame = boot_take_frames(boot_memory, 1);
    CHECK(frame != FRAME_NONE);
    return frame;
}

static void map_user(frame_no_t root, uint64_t address, frame_no_t frame, unsigned protection)
{
    uint64_t *table = frame_pointer(root);
    for (unsigned level = MMU_LEVELS - 1; level > 0; level--) {
        uint64_t *entry = &table[address >> (PAGE_SHIFT + MMU_INDEX_BITS * level) & 511];
        if ((*entry & MMU_PRESENT) == 0)
            *entry = frame_address(take()) | mmu_format()->table;
        table = frame_pointer(address_frame(*entry & MMU_ADDRESS_MASK));
    }
    table[address >> PAGE_SHIFT & 511] = frame_address(frame) | mmu_format()->page[protection];
}

static void make_space(struct test_cpu *cpu)
{
    frame_no_t code = take(), data = take();
    cpu->root = take();
    __builtin_memcpy(frame_pointer(code), user_start, (size_t)(user_end - user_start));
    /* What the thread pointers point at, when they have moved if they can. */
    for (unsigned i = 0; i < ARRAY_COUNT(jobs); i++) {
        uint64_t *words = (uint64_t *)frame_pointer(data) + 2 * i;
        words[cpu_has_fsgsbase] = NUMBER_BASE + i;
    }
    mmu_root_init(cpu->root);
    map_user(cpu->root, USER_CODE, code, CAD_PROT_READ | CAD_PROT_EXECUTE);
    map_user(cpu->root, USER_DATA, data, CAD_PROT_READ | CAD_PROT_WRITE);
    map_user(cpu->root, USER_FIXED, take(), CAD_PROT_READ);
}

/* ---- threads ---- */

static void thread_start(struct test_cpu *cpu, struct thread *thread)
{
    unsigned index = cpu->next_job++;
    const struct job *job = &jobs[index];
    uint64_t pc = USER_CODE + (uint64_t)(job->code - user_start);
    uint64_t sp = USER_DATA + PAGE_SIZE - 512 * (uint64_t)(thread - cpu->threads);
    uint64_t pointer = USER_DATA + 16 * index;
    thread->job = job;
    context_init(&thread->context, pc, sp, job->faults ? job->argument : NUMBER_BASE + index,
                 pointer, pointer);
    bool avx = (cpu_features.xcr0 & 4) != 0 && job->code == user_fpu;
    bool bases = cpu_has_fsgsbase && job->code == user_tls;
    context_set_word(&thread->context, 0, avx || bases);
    __builtin_memset(&thread->fpu, 0xff, sizeof(thread->fpu)); /* as another might leave it */
    fpu_state_init(&thread->fpu);
}

static void thread_end(struct thread *thread, bool good, uint64_t value)
{
    if (!good)
        print("FAIL cpu %u: job %s, argument 0x%lx: 0x%lx\n", cpu_self()->index,
              thread->job->name, thread->job->argument, value);
    if (!good)
        atomic_fetch_add(&failures, 1);
    thread->job = NULL;
    this_cpu()->done++;
}

static void syscall_judge(struct arch_context *context)
{
    struct thread *thread = this_cpu()->current;
    expect(context == &thread->context, "syscall saves into the current context", 0);
    switch (context_call(context)) {
    case TEST_DONE:
        thread_end(thread, !thread->job->faults && context_word(context, 0) == 0,
                   context_word(context, 0));
        break;
    case TEST_WORDS:
        expect(context_cap(context) == TEST_CAP, "capability register", context_cap(context));
        for (unsigned i = 0; i < CONTEXT_WORDS; i++) {
            expect(context_word(context, i) == TEST_WORD_IN + i, "message word", i);
            context_set_word(context, i, TEST_WORD_OUT + i);
        }
        context_set_badge(context, TEST_BADGE);
        context_set_status(context, TEST_STATUS);
        break;
    case TEST_ASTRAY: /* not by sysret, and not a fault of the kernel */
        context->rip = NON_CANONICAL;
        context->leave = LEAVE_IRET;
        break;
    default:
        context_bounce(context, USER_CODE + (uint64_t)(user_bounced - user_start));
        break;
    }
}

struct arch_context *kernel_syscall(struct arch_context *context)
{
    syscall_judge(context);
    return kernel_resume();
}

void kernel_user_fault(struct arch_context *context, const struct fault *fault)
{
    struct thread *thread = this_cpu()->current;
    const struct fault *want = &thread->job->expected;
    bool good = thread->job->faults && fault->kind == want->kind &&
                fault->address == want->address && fault->access == want->access &&
                fault->present == want->present;
    if (!good)
        print("kind %u at 0x%lx access %u present %u code 0x%x pc 0x%lx\n", fault->kind,
              fault->address, fault->access, fault->present, fault->machine_code,
              context_pc(context));
    thread_end(thread, good, fault->address);
}

void kernel_timer(void)
{
    atomic_store_relaxed(&timer_fired, true);
}

void kernel_tlb_service(void)
{
    atomic_fetch_add(&this_cpu()->ipis[0], this_cpu()->arch.self == &this_cpu()->arch);
}

void kernel_reschedule(void)
{
    atomic_fetch_add(&this_cpu()->ipis[1], 1);
}

void kernel_console_input(const char *bytes, size_t count)
{
    print("input '%.*s'\n", (int)count, bytes);
    atomic_fetch_add(&input_count, (uint32_t)count);
}

static struct thread *thread_next(struct test_cpu *cpu)
{
    unsigned from = cpu->current != NULL ? (unsigned)(cpu->current - cpu->threads) + 1 : 0;
    for (unsigned i = 0; i < THREADS_AT_ONCE; i++) {
        struct thread *thread = &cpu->threads[(from + i) % THREADS_AT_ONCE];
        if (thread->job == NULL && cpu->next_job < ARRAY_COUNT(jobs))
            thread_start(cpu, thread);
        if (thread->job != NULL)
            return thread;
    }
    return NULL;
}

static void thread_switch(struct test_cpu *cpu, struct thread *thread)
{
    if (cpu->current == thread)
        return;
    if (cpu->current != NULL) {
        fpu_save(&cpu->current->fpu);
        cpu_clear_context(&cpu->current->context);
    }
    cpu->current = thread;
    if (thread != NULL) {
        cpu_set_context(&thread->context);
        fpu_restore(&thread->fpu);
    }
    cpu->switches++;
}

static void finish(void);

struct arch_context *kernel_resume(void)
{
    struct test_cpu *cpu = this_cpu();
    struct thread *thread = thread_next(cpu);
    thread_switch(cpu, thread);
    if (thread != NULL) {
        mmu_switch(cpu->root);
        timer_arm(timer_now_ns() + SLICE_NS);
        return &thread->context;
    }
    mmu_switch(mmu_kernel_root());
    timer_disarm();
    atomic_store_release(&cpu->user_done, true);
    if (cpu->arch.index == 0)
        finish();
    for (;;)
        cpu_idle();
}

/* ---- the other promises ---- */

static uint64_t clock_last;
static uint32_t clock_lock;

/* All CPUs take turns: no reading is before one that another CPU took earlier. */
static void test_clock(void)
{
    unsigned backwards = 0;
    for (unsigned i = 0; i < CLOCK_ROUNDS; i++) {
        while (atomic_exchange(&clock_lock, 1) != 0)
            cpu_relax();
        uint64_t now = timer_now_ns();
        if (now < clock_last)
            backwards++;
        else
            clock_last = now;
        atomic_store_release(&clock_lock, 0);
    }
    expect(backwards == 0, "clock went backwards", backwards);
    atomic_store_release(&this_cpu()->clock_done, true);
}

static void test_timer(void)
{
    uint64_t deadline = timer_now_ns() + TIMER_TEST_NS;
    atomic_store_relaxed(&timer_fired, false);
    timer_arm(deadline);
    while (!atomic_load_relaxed(&timer_fired))
        cpu_idle();
    uint64_t now = timer_now_ns();
    expect(now >= deadline, "timer was early, ns", deadline - now);
    expect(now - deadline < PATIENCE_NS, "timer was late, ns", now - deadline);
}

static void test_ipis(unsigned target)
{
    static const enum ipi kinds[] = {IPI_TLB, IPI_RESCHEDULE};
    for (unsigned kind = 0; kind < ARRAY_COUNT(kinds); kind++) {
        for (unsigned i = 0; i < IPI_ROUNDS; i++) {
            uint32_t before = atomic_load_acquire(&cpus[target].ipis[kind]);
            uint64_t start = timer_now_ns();
            cpu_send_ipi(target, kinds[kind]);
            while (atomic_load_acquire(&cpus[target].ipis[kind]) == before &&
                   timer_now_ns() - start < PATIENCE_NS)
                cpu_relax();
            if (atomic_load_acquire(&cpus[target].ipis[kind]) != before + 1) {
                expect(false, "interrupt to CPU lost or doubled", target);
                return;
            }
        }
    }
}

static unsigned tables_left;

static frame_no_t take_some(void)
{
    return tables_left-- > 0 ? take() : FRAME_NONE;
}

static void test_pool(void)
{
    uint64_t address = POOL_BASE + 3 * POOL_SPAN_BYTES + 5 * PAGE_SIZE;
    frame_no_t frame = take();
    tables_left = 1;
    expect(!mmu_kernel_map(address, frame, take_some), "mapping without tables must fail", 0);
    tables_left = 2;
    expect(mmu_kernel_map(address, frame, take_some), "pool page", 0);
    *(volatile uint64_t *)address = TEST_CAP;
    expect(*(volatile uint64_t *)frame_pointer(frame) == TEST_CAP, "pool page shows its frame", 0);
    pages_clear(frame, 1);
    expect(*(volatile uint64_t *)address == 0, "pages_clear", 0);
    ((volatile uint64_t *)address)[511] = TEST_CAP;
    frame_no_t copy = take();
    page_copy(copy, frame);
    expect(((uint64_t *)frame_pointer(copy))[511] == TEST_CAP, "page_copy", 0);
}

/* The whole of the last usable region answers through the direct map. */
static void test_memory(struct boot_info *boot)
{
    frame_no_t last = boot_frame_limit(boot) - 1;
    for (; !boot_frame_is_free(boot, last); last--)
        ;
    volatile uint64_t *word = frame_pointer(last);
    *word = TEST_CAP;
    expect(*word == TEST_CAP, "last frame holds data", last);
    expect(!boot_frame_is_free(boot, FRAME_NONE), "frame 0 is nobody's", 0);
    expect(!boot_frame_is_free(boot, address_frame(boot->kernel_start)), "image is taken", 0);
    for (unsigned i = 0; i < boot->taken_count; i++)
        expect(!boot_frame_is_free(boot, address_frame(boot->taken[i].end - 1)), "taken", i);
}

/* machine.toml knows what this looks like. */
static void show_formats(void)
{
    print("formats: [%d|%5d|%-5d|%05d|%ld|%u|%lu|%x|%08lx|%p|%s|%6s|%-6s|%.*s|%.2s|%c|%zu|%%]\n",
          -12, -34, 56, -78, INT64_MIN, UINT32_MAX, UINT64_MAX, 0xbeef, UINT64_C(0xc0de),
          (void *)0x1234, "text", "ab", "cd", 3, "efgh", "ijkl", 'm', (size_t)7);
    print("formats: %s\n",
          "a text longer than the buffer that it goes through on its way to the console comes out "
          "whole, with all that is in it up to the very last word, which is: end");
}

static void finish(void)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        while (!atomic_load_acquire(&cpus[i].user_done))
            cpu_relax();
        expect(cpus[i].done == ARRAY_COUNT(jobs), "jobs done", cpus[i].done);
        expect(cpus[i].switches > ARRAY_COUNT(jobs) + 10, "threads were preempted",
               cpus[i].switches);
    }
    for (unsigned i = 1; i < cpu_count(); i++)
        test_ipis(i);
    if (asked_for("input")) {
        machine_console_listen();
        print("ready for input\n");
        while (atomic_load_acquire(&input_count) < 5)
            cpu_idle();
    }
    if (asked_for("reboot"))
        machine_reboot();
    print("machine test: %u CPUs, %lu jobs each, %u failures\n", cpu_count(), ARRAY_COUNT(jobs),
          failures);
    machine_power_off(failures == 0 ? 0 : 1);
}

_Noreturn void kernel_cpu_main(void)
{
    test_clock();
    trap_leave();
}

/* ---- breaking it ---- */

static volatile unsigned depth;

__attribute__((noinline)) static uint64_t recurse(uint64_t n)
{
    volatile uint64_t room[64];
    room[n % 64] = n;
    return depth < UINT32_MAX ? recurse(n + 1) + room[n % 64] : 0;
}

__attribute__((noinline)) static void smash(volatile char *at, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        at[i] = 'x';
}

__attribute__((noinline)) static void overflow_buffer(void)
{
    char buffer[16];
    smash(buffer, 16 + 16 * (depth + 1));
}

static void break_something(void)
{
    if (asked_for("panic=null"))
        *(volatile uint64_t *)(uint64_t)(depth + 8) = 1;
    if (asked_for("panic=text"))
        *(volatile char *)(uint64_t)user_start = *(volatile char *)(uint64_t)kernel_resume = 1;
    if (asked_for("panic=alias"))
        *(volatile char *)((uint64_t)kernel_resume - KERNEL_BASE + DIRECT_MAP_BASE) = 1;
    if (asked_for("panic=execute"))
        ((void (*)(void))(uint64_t)cpus)();
    if (asked_for("panic=identity"))
        (void)*(volatile char *)0x100000;
    if (asked_for("panic=stack"))
        (void)recurse(0);
    if (asked_for("panic=canary"))
        overflow_buffer();
    if (asked_for("panic=check"))
        CHECK_VALUE(depth == 1, 42);
    if (asked_for("panic=fpu"))
        __asm__ volatile("movq %%cr0, %%rax; orq $8, %%rax; movq %%rax, %%cr0; fnop" ::: "rax");
    if (asked_for("panic=user")) {
        mmu_switch(cpus[0].root);
        *(volatile char *)USER_DATA = 1;
    }
    if (asked_for("panic=enter")) {
        mmu_switch(cpus[0].root);
        ((void (*)(void))USER_CODE)();
    }
    if (asked_for("panic=nmi")) {
        cpu_send_ipi(0, IPI_STOP); /* though nobody has asked to stop */
        for (;;)
            cpu_relax();
    }
}

_Noreturn void kernel_main(struct boot_info *boot)
{
    boot_memory = boot;
    print("machine test by %s, %u CPUs possible, memory to 0x%lx\n", boot->protocol,
          cpu_possible(), frame_address(boot_frame_limit(boot)));
    if (cpuid_read(0, 0).eax >= 7 && (cpuid_read(7, 0).ecx & CPUID_7_ECX_UMIP) != 0) {
        jobs[JOB_TABLES].faults = true;
        jobs[JOB_TABLES].expected.kind = FAULT_PROTECTION;
    }
    show_formats();
    test_memory(boot);
    for (unsigned i = 0; i < cpu_possible(); i++)
        make_space(&cpus[i]);
    for (unsigned i = 0; i < cpu_possible(); i++)
        cpu_attach(i, &cpus[i].arch);
    test_pool();
    test_timer();
    if (asked_for("ghost")) /* firmware names a CPU that is not there */
        acpi_info.apic_ids[1] = 200;
    uint64_t start = timer_now_ns();
    cpu_start_all();
    print("started %u CPUs in %lu us, wall clock %lu\n", cpu_count(),
          (timer_now_ns() - start) / 1000, timer_boot_wall_seconds());
    break_something();
    test_clock();
    for (unsigned i = 0; i < cpu_count(); i++) {
        while (!atomic_load_acquire(&cpus[i].clock_done))
            cpu_relax();
        print("cpu %u: apic %u, clock offset %ld cycles\n", i, cpus[i].arch.apic_id,
              cpus[i].arch.clock_offset);
    }
    trap_leave();
}

// SPDX-License-Identifier: BSD-2-Clause
/* Who and where a program is: identity, limits, signals that do not exist. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "files.h"
#include "served.h"

#define SIGNALS          64
#define SIGNAL_SET_BYTES 8

/* struct sigaction as the system call has it. */
struct kernel_sigaction {
    uint64_t handler, flags, restorer, mask;
};
static LARGE struct kernel_sigaction actions[SIGNALS + 1];

long call_accept(struct linux_registers *r)
{
    (void)r;
    return 0;
}

long call_zero(struct linux_registers *r)
{
    (void)r;
    return 0;
}

long call_decline(struct linux_registers *r)
{
    (void)r;
    return -ENOSYS;
}

long call_prctl(struct linux_registers *r)
{
    return r->a0 == PR_SET_NAME ? 0 : -EINVAL;
}

long call_umask(struct linux_registers *r)
{
    (void)r;
    return 022;
}

long call_getpid(struct linux_registers *r)
{
    (void)r;
    return cad_capset()->process_id;
}

long call_sigprocmask(struct linux_registers *r)
{
    if (r->a2 != 0)
        memset((void *)r->a2, 0, r->a3 < SIGNAL_SET_BYTES ? r->a3 : SIGNAL_SET_BYTES);
    return 0;
}

long call_sigaction(struct linux_registers *r)
{
    if (r->a0 == 0 || r->a0 > SIGNALS || r->a0 == SIGKILL || r->a0 == SIGSTOP)
        return -EINVAL;
    if (r->a2 != 0)
        *(struct kernel_sigaction *)r->a2 = actions[r->a0];
    if (r->a1 != 0)
        actions[r->a0] = *(const struct kernel_sigaction *)r->a1;
    return 0;
}

static bool is_ignored(uint64_t signal)
{
    uint64_t handler = actions[signal].handler;

    return handler == (uint64_t)SIG_IGN ||
           (handler == (uint64_t)SIG_DFL &&
            (signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH));
}

/* Says which signal it was: its handler, if it has one, did not run. */
static _Noreturn void end_by_signal(uint64_t signal)
{
    bool has_handler = actions[signal].handler != (uint64_t)SIG_DFL;
    char line[128];
    size_t used = text_append(line, sizeof(line), 0, "rt: ended by its own signal ");

    used = text_append_number(line, sizeof(line), used, signal);
    used = text_append(line, sizeof(line), used, has_handler ? ": no handler ever runs\n" : "\n");
    (void)console_write(line, used);
    process_exit(128 + (unsigned)signal);
}

/* A signal to the caller, or to nobody it knows. */
static long send_signal(bool is_self, uint64_t signal)
{
    if (signal > SIGNALS)
        return -EINVAL;
    if (!is_self)
        return -ESRCH;
    if (signal != 0 && !is_ignored(signal))
        end_by_signal(signal);
    return 0;
}

long call_kill(struct linux_registers *r)
{
    int32_t target = (int32_t)r->a0;

    return send_signal(target == 0 || target == (int32_t)cad_capset()->process_id, r->a1);
}

long call_tkill(struct linux_registers *r)
{
    return send_signal((uint32_t)r->a0 == thread_self()->tid, r->a1);
}

long call_tgkill(struct linux_registers *r)
{
    return send_signal((uint32_t)r->a1 == thread_self()->tid, r->a2);
}

long call_pause(struct linux_registers *r)
{
    static const uint32_t word;

    (void)r;
    for (;;)
        (void)park(&word, 0, CAD_DEADLINE_FOREVER);
}

long call_uname(struct linux_registers *r)
{
    struct utsname *out = (struct utsname *)r->a0;

    memset(out, 0, sizeof(*out));
    (void)text_append(out->sysname, sizeof(out->sysname) - 1, 0, "Cadastre");
    (void)text_append(out->nodename, sizeof(out->nodename) - 1, 0, "cadastre");
    (void)text_append(out->release, sizeof(out->release) - 1, 0, "0.1");
    (void)text_append(out->version, sizeof(out->version) - 1, 0, "Linux calls by its runtime");
    (void)text_append(out->machine, sizeof(out->machine) - 1, 0, "x86_64");
    return 0;
}

/* Gives: the limit of the process's own ledger, in the resource's unit. */
static uint64_t own_limit(uint64_t resource, uint64_t *used)
{
    uint64_t limit = 0, donated;

    *used = 0;
    if (cad_ledger_info(cad_find(CAD_ROLE_SELF_LEDGER), resource, used, &limit, &donated) != CAD_OK)
        return 0;
    return limit;
}

static struct rlimit limit_of(uint64_t which)
{
    uint64_t used;

    switch (which) {
    case RLIMIT_STACK:
        return (struct rlimit){CAD_STACK_BYTES, CAD_STACK_BYTES};
    case RLIMIT_NOFILE:
        return (struct rlimit){FILES_MAX, FILES_MAX};
    case RLIMIT_AS:
    case RLIMIT_DATA: {
        uint64_t bytes = own_limit(CAD_RESOURCE_COMMITTED, &used) * PAGE_SIZE;
        return (struct rlimit){bytes, bytes};
    }
    case RLIMIT_NPROC: {
        uint64_t threads = own_limit(CAD_RESOURCE_THREADS, &used);
        return (struct rlimit){threads, threads};
    }
    default:
        return (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    }
}

long call_getrlimit(struct linux_registers *r)
{
    *(struct rlimit *)r->a1 = limit_of(r->a0);
    return 0;
}

long call_prlimit(struct linux_registers *r)
{
    if (r->a0 != 0 && r->a0 != cad_capset()->process_id)
        return -ESRCH;
    if (r->a2 != 0)
        return -EPERM;
    if (r->a3 != 0)
        *(struct rlimit *)r->a3 = limit_of(r->a1);
    return 0;
}

long call_sysinfo(struct linux_registers *r)
{
    enum { KERNEL_BYTES = 112 }; /* musl's struct is longer than what the call fills */
    struct sysinfo out;
    uint64_t used, limit = own_limit(CAD_RESOURCE_COMMITTED, &used);

    memset(&out, 0, sizeof(out));
    out.uptime = clock_now(NULL) / UINT64_C(1000000000);
    out.totalram = limit;
    out.freeram = limit - used;
    out.procs = 1;
    out.mem_unit = PAGE_SIZE;
    memcpy((void *)r->a0, &out, KERNEL_BYTES);
    return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Clocks and sleeping, on the Clock capability. */
#include <errno.h>
#include <sys/time.h>
#include <time.h>

#include "served.h"

#define NS_PER_SECOND UINT64_C(1000000000)

uint64_t clock_now(uint64_t *boot_wall_seconds)
{
    uint64_t now = 0, wall = 0;

    (void)cad_clock_now(cad_find(CAD_ROLE_CLOCK), &now, &wall);
    if (boot_wall_seconds != NULL)
        *boot_wall_seconds = wall;
    return now;
}

uint64_t deadline_after(uint64_t now_ns, uint64_t wait_ns)
{
    return wait_ns > CAD_DEADLINE_FOREVER - now_ns ? CAD_DEADLINE_FOREVER : now_ns + wait_ns;
}

bool timespec_to_ns(const struct linux_timespec *time, uint64_t *ns)
{
    if (time->seconds < 0 || time->nanoseconds < 0 || time->nanoseconds >= (int64_t)NS_PER_SECOND)
        return false;
    if (__builtin_mul_overflow((uint64_t)time->seconds, NS_PER_SECOND, ns) ||
        __builtin_add_overflow(*ns, (uint64_t)time->nanoseconds, ns))
        *ns = CAD_DEADLINE_FOREVER;
    return true;
}

static bool is_wall_clock(uint64_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

static bool is_clock(uint64_t clock)
{
    return is_wall_clock(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

long call_clock_gettime(struct linux_registers *r)
{
    struct linux_timespec *out = (struct linux_timespec *)r->a1;
    uint64_t wall = 0, now;
    status_t status = cad_clock_now(cad_find(CAD_ROLE_CLOCK), &now, &wall);

    if (!is_clock(r->a0))
        return -EINVAL;
    if (status != CAD_OK)
        return -EPERM;
    out->seconds = (int64_t)(now / NS_PER_SECOND + (is_wall_clock(r->a0) ? wall : 0));
    out->nanoseconds = (int64_t)(now % NS_PER_SECOND);
    return 0;
}

long call_clock_getres(struct linux_registers *r)
{
    if (!is_clock(r->a0))
        return -EINVAL;
    if (r->a1 != 0)
        *(struct linux_timespec *)r->a1 = (struct linux_timespec){0, 1};
    return 0;
}

long call_gettimeofday(struct linux_registers *r)
{
    struct timeval *out = (struct timeval *)r->a0;
    uint64_t wall, now = clock_now(&wall);

    if (out != NULL) {
        out->tv_sec = (time_t)(now / NS_PER_SECOND + wall);
        out->tv_usec = (suseconds_t)(now % NS_PER_SECOND / 1000);
    }
    return 0;
}

long call_time(struct linux_registers *r)
{
    uint64_t wall, now = clock_now(&wall);
    long seconds = (long)(now / NS_PER_SECOND + wall);

    if (r->a0 != 0)
        *(int64_t *)r->a0 = seconds;
    return seconds;
}

static long sleep_until(uint64_t deadline_ns)
{
    status_t status = cad_clock_sleep(cad_find(CAD_ROLE_CLOCK), deadline_ns);

    return status == CAD_OK || status == CAD_TIMED_OUT ? 0 : error_of(status);
}

long call_nanosleep(struct linux_registers *r)
{
    uint64_t wait;

    if (!timespec_to_ns((const struct linux_timespec *)r->a0, &wait))
        return -EINVAL;
    return sleep_until(deadline_after(clock_now(NULL), wait));
}

long call_clock_nanosleep(struct linux_registers *r)
{
    uint64_t wait, wall, now = clock_now(&wall);

    if (!is_clock(r->a0) || !timespec_to_ns((const struct linux_timespec *)r->a2, &wait))
        return -EINVAL;
    if ((r->a1 & TIMER_ABSTIME) == 0)
        return sleep_until(deadline_after(now, wait));
    if (is_wall_clock(r->a0))
        wait = wait > wall * NS_PER_SECOND ? wait - wall * NS_PER_SECOND : 0;
    return sleep_until(wait);
}

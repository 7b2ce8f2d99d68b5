// SPDX-License-Identifier: BSD-2-Clause
/* The battery clock, read once: BCD or binary, 12 or 24 hours, as it says itself. */
#include "arch/timer.h"

#include "instructions.h"

#define CMOS_INDEX        0x70
#define CMOS_DATA         0x71
#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY   0x04
#define HOUR_PM           0x80
#define READ_TRIES        100000u
#define SECONDS_PER_DAY   86400u

enum cmos_register {
    CMOS_SECOND = 0,
    CMOS_MINUTE = 2,
    CMOS_HOUR = 4,
    CMOS_DAY = 7,
    CMOS_MONTH = 8,
    CMOS_YEAR = 9,
    CMOS_STATUS_A = 10,
    CMOS_STATUS_B = 11,
};

struct moment {
    uint8_t second, minute, hour, day, month, year;
};

static uint8_t cmos_read(unsigned index)
{
    port_write8(CMOS_INDEX, (uint8_t)index);
    return port_read8(CMOS_DATA);
}

static struct moment moment_read(void)
{
    return (struct moment){
        cmos_read(CMOS_SECOND), cmos_read(CMOS_MINUTE), cmos_read(CMOS_HOUR),
        cmos_read(CMOS_DAY),    cmos_read(CMOS_MONTH),  cmos_read(CMOS_YEAR),
    };
}

static uint8_t from_bcd(uint8_t value)
{
    return (uint8_t)((value >> 4) * 10 + (value & 15));
}

/* Two equal readings outside an update: none was torn. */
static bool moment_read_stable(struct moment *moment)
{
    for (unsigned i = 0; i < READ_TRIES; i++) {
        if ((cmos_read(CMOS_STATUS_A) & STATUS_A_UPDATING) != 0)
            continue;
        struct moment first = moment_read();
        *moment = moment_read();
        if (__builtin_memcmp(&first, moment, sizeof(first)) == 0)
            return true;
    }
    return false;
}

static void moment_decode(struct moment *moment, uint8_t status_b)
{
    bool afternoon = (status_b & STATUS_B_24_HOURS) == 0 && (moment->hour & HOUR_PM) != 0;
    if ((status_b & STATUS_B_24_HOURS) == 0)
        moment->hour &= (uint8_t)~HOUR_PM;
    if ((status_b & STATUS_B_BINARY) == 0) {
        moment->second = from_bcd(moment->second);
        moment->minute = from_bcd(moment->minute);
        moment->hour = from_bcd(moment->hour);
        moment->day = from_bcd(moment->day);
        moment->month = from_bcd(moment->month);
        moment->year = from_bcd(moment->year);
    }
    if ((status_b & STATUS_B_24_HOURS) == 0)
        moment->hour = (uint8_t)(moment->hour % 12 + (afternoon ? 12 : 0));
}

/* Days from 1970-01-01 by the Gregorian calendar, years counted from March. */
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;
    uint64_t days = 365u * (uint64_t)y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    return days - 719468;
}

uint64_t timer_boot_wall_seconds(void)
{
    struct moment m;
    if (!moment_read_stable(&m))
        return 0;
    moment_decode(&m, cmos_read(CMOS_STATUS_B));
    if (m.month < 1 || m.month > 12 || m.day < 1 || m.day > 31 || m.hour > 23 || m.minute > 59 ||
        m.second > 60)
        return 0;
    uint64_t now = days_since_1970(2000u + m.year, m.month, m.day) * SECONDS_PER_DAY +
                   m.hour * 3600u + m.minute * 60u + m.second;
    return now - timer_now_ns() / 1000000000u;
}

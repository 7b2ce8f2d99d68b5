// SPDX-License-Identifier: BSD-2-Clause
/*
 * The console as a terminal.  Its line discipline is here, in the reader: in
 * canonical mode a line is edited and echoed until Enter; raw mode (termios)
 * gives bytes as they come.  Canonical reads take one byte at a time from the
 * kernel, so that what is typed ahead stays there for the next reader.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "served.h"

#define LINE_BYTES   1024
#define KERNEL_CHARS 19
#define NS_PER_TENTH UINT64_C(100000000)

/* struct termios as Linux's TCGETS gives it. */
struct kernel_termios {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t chars[KERNEL_CHARS];
};

static struct lock console_lock;
static const struct kernel_termios first_modes = {
    .input = ICRNL,
    .output = OPOST | ONLCR,
    .control = CREAD | CS8,
    .local = ISIG | ICANON | ECHO | ECHOE | ECHOK,
    .chars = {[VINTR] = 3, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1},
};
/* The rest of an entered line that a short read left. */
static char line[LINE_BYTES];
static size_t line_start, line_end;
static struct kernel_termios modes;
static struct winsize window;

void console_initialize(void)
{
    modes = first_modes;
    window = (struct winsize){.ws_row = 24, .ws_col = 80};
}

bool console_is_there(void)
{
    return cad_find(CAD_ROLE_CONSOLE) != CAD_CAP_NONE;
}

long console_write(const char *bytes, size_t count)
{
    cap_id_t console = cad_find(CAD_ROLE_CONSOLE);
    size_t done = 0;

    if (console == CAD_CAP_NONE)
        return -EBADF;
    while (done < count) {
        size_t part = count - done < CAD_CONSOLE_WRITE_MAX ? count - done : CAD_CONSOLE_WRITE_MAX;
        uint64_t written = 0;
        status_t status =
            cad_console_write(console, (uint64_t)(bytes + done), part, &written);
        if (status != CAD_OK)
            return done > 0 ? (long)done : error_of(status);
        done += written;
    }
    return (long)done;
}

static status_t console_bytes(char *buffer, size_t count, uint64_t deadline_ns, uint64_t *got)
{
    return cad_console_read(cad_find(CAD_ROLE_CONSOLE), (uint64_t)buffer, count, deadline_ns, got);
}

static void echo(const char *text, size_t count)
{
    if ((modes.local & ECHO) != 0)
        (void)console_write(text, count);
}

static void interrupt(void)
{
    echo("^C\n", 3);
    process_exit(128 + 2);
}

/* One typed byte goes into the line. Gives: true when the line is complete. */
static bool line_put(char c)
{
    if (c == '\r' && (modes.input & ICRNL) != 0)
        c = '\n';
    if ((modes.local & ISIG) != 0 && c == modes.chars[VINTR])
        interrupt();
    if (c == modes.chars[VEOF])
        return true;
    if (c == modes.chars[VERASE] || c == '\b') {
        if (line_end > 0) {
            line_end--;
            echo("\b \b", 3);
        }
        return false;
    }
    if (c == modes.chars[VKILL]) {
        for (; line_end > 0; line_end--)
            echo("\b \b", 3);
        return false;
    }
    if (line_end < LINE_BYTES - 1 || c == '\n') {
        line[line_end++] = c;
        echo(&c, 1);
    }
    return c == '\n';
}

static long read_line(char *buffer, size_t count)
{
    uint64_t got = 0;
    size_t taken;
    char c;

    if (line_start == line_end) {
        line_start = line_end = 0;
        do {
            status_t status = console_bytes(&c, 1, CAD_DEADLINE_FOREVER, &got);
            if (status != CAD_OK)
                return error_of(status);
        } while (!line_put(c));
    }
    taken = line_end - line_start < count ? line_end - line_start : count;
    memcpy(buffer, &line[line_start], taken);
    line_start += taken;
    return (long)taken;
}

static long read_raw(char *buffer, size_t count)
{
    uint64_t deadline = CAD_DEADLINE_FOREVER, got = 0;
    status_t status;

    if (modes.chars[VMIN] == 0)
        deadline = deadline_after(clock_now(NULL), modes.chars[VTIME] * NS_PER_TENTH);
    status = console_bytes(buffer, count, deadline, &got);
    if (status == CAD_TIMED_OUT || status == CAD_WOULD_BLOCK)
        return 0;
    if (status != CAD_OK)
        return error_of(status);
    for (uint64_t i = 0; i < got; i++) {
        if ((modes.local & ISIG) != 0 && buffer[i] == modes.chars[VINTR])
            interrupt();
        if (buffer[i] == '\r' && (modes.input & ICRNL) != 0)
            buffer[i] = '\n';
    }
    return (long)got;
}

long console_read(char *buffer, size_t count)
{
    long result;

    if (count == 0)
        return 0;
    lock_take(&console_lock);
    if ((modes.local & ICANON) != 0)
        result = read_line(buffer, count);
    else
        result = read_raw(buffer, count);
    lock_put(&console_lock);
    return result;
}

long console_ioctl(uint64_t request, uint64_t argument)
{
    switch (request) {
    case TCGETS:
        memcpy((void *)argument, &modes, sizeof(modes));
        return 0;
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        memcpy(&modes, (const void *)argument, sizeof(modes));
        return 0;
    case TIOCGWINSZ:
        memcpy((void *)argument, &window, sizeof(window));
        return 0;
    case TIOCSWINSZ:
        memcpy(&window, (const void *)argument, sizeof(window));
        return 0;
    case TCFLSH:
    case TCSBRK:
        return 0;
    case TIOCGPGRP:
        *(int32_t *)argument = (int32_t)cad_capset()->process_id;
        return 0;
    default:
        return -EINVAL;
    }
}

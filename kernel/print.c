// SPDX-License-Identifier: BSD-2-Clause
/* A message is formatted in one pass into a small buffer that is written out when full. */
#include "kernel/print.h"

#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/trap.h"
#include "base/atomic.h"

#define PRINT_BUFFER_BYTES 128
#define PRINT_WAIT_TURNS   (1u << 22)
#define PRINT_DIGITS_MAX   24

struct output {
    size_t used;
    char bytes[PRINT_BUFFER_BYTES];
};

struct conversion {
    bool left, zero;
    int width, precision; /* precision < 0: none */
    int longs;            /* number of l; z counts as one */
};

static uint32_t print_owner; /* CPU index + 1; 0: nobody */
static bool print_waits = true;

static void output_flush(struct output *output)
{
    machine_console_write(output->bytes, output->used);
    output->used = 0;
}

static void output_char(struct output *output, char c)
{
    if (output->used == PRINT_BUFFER_BYTES)
        output_flush(output);
    output->bytes[output->used++] = c;
}

static void output_fill(struct output *output, char c, int count)
{
    while (count-- > 0)
        output_char(output, c);
}

static void output_text(struct output *output, const struct conversion *how, const char *text)
{
    int length = 0;
    while ((how->precision < 0 || length < how->precision) && text[length] != '\0')
        length++;
    if (!how->left)
        output_fill(output, ' ', how->width - length);
    for (int i = 0; i < length; i++)
        output_char(output, text[i]);
    if (how->left)
        output_fill(output, ' ', how->width - length);
}

static void output_number(struct output *output, const struct conversion *how, uint64_t value,
                          unsigned base, const char *prefix)
{
    char digits[PRINT_DIGITS_MAX];
    int count = 0, prefix_length = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (prefix[prefix_length] != '\0')
        prefix_length++;
    int padding = how->width - count - prefix_length;
    if (!how->left && !how->zero)
        output_fill(output, ' ', padding);
    for (int i = 0; i < prefix_length; i++)
        output_char(output, prefix[i]);
    if (!how->left && how->zero)
        output_fill(output, '0', padding);
    while (count > 0)
        output_char(output, digits[--count]);
    if (how->left)
        output_fill(output, ' ', padding);
}

static int format_number(const char **format, int value)
{
    while (**format >= '0' && **format <= '9')
        value = value * 10 + (*(*format)++ - '0');
    return value;
}

/* The part between `%` and the conversion letter.  `star` is the `*` argument, if any. */
static struct conversion format_decode(const char **format, va_list *arguments)
{
    struct conversion how = {.precision = -1};
    for (;; (*format)++) {
        if (**format == '-')
            how.left = true;
        else if (**format == '0')
            how.zero = true;
        else
            break;
    }
    if (**format == '*') {
        how.width = va_arg(*arguments, int);
        (*format)++;
    } else {
        how.width = format_number(format, 0);
    }
    if (**format == '.') {
        (*format)++;
        if (**format == '*') {
            how.precision = va_arg(*arguments, int);
            (*format)++;
        } else {
            how.precision = format_number(format, 0);
        }
    }
    for (; **format == 'l' || **format == 'z'; (*format)++)
        how.longs++;
    return how;
}

static void output_signed(struct output *output, const struct conversion *how, int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    output_number(output, how, magnitude, 10, value < 0 ? "-" : "");
}

static void output_argument(struct output *output, char letter, const struct conversion *how,
                            va_list *arguments)
{
    struct conversion pointer = {.zero = true, .width = 18, .precision = -1};
    const char *text;
    switch (letter) {
    case 'd':
    case 'i':
        output_signed(output, how,
                      how->longs > 0 ? va_arg(*arguments, int64_t) : va_arg(*arguments, int));
        break;
    case 'u':
    case 'x':
        output_number(output, how,
                      how->longs > 0 ? va_arg(*arguments, uint64_t)
                                     : va_arg(*arguments, unsigned),
                      letter == 'x' ? 16 : 10, "");
        break;
    case 'p':
        output_number(output, &pointer, (uint64_t)va_arg(*arguments, void *), 16, "0x");
        break;
    case 's':
        text = va_arg(*arguments, const char *);
        output_text(output, how, text != NULL ? text : "(null)");
        break;
    case 'c':
        output_char(output, (char)va_arg(*arguments, int));
        break;
    default: /* `%%`, and what the format check never lets through */
        output_char(output, letter);
        break;
    }
}

/* Gives: whether this call took the console (a nested message did not). */
static bool print_take(void)
{
    uint32_t self = cpu_self()->index + 1;
    for (uint32_t turn = 0; turn < PRINT_WAIT_TURNS; turn++) {
        uint32_t nobody = 0;
        if (!atomic_load_relaxed(&print_waits) || atomic_load_relaxed(&print_owner) == self)
            return false;
        if (atomic_compare_exchange(&print_owner, &nobody, self))
            return true;
        kernel_tlb_service();
        cpu_relax();
    }
    return false;
}

void print_list(const char *format, va_list arguments)
{
    struct output output = {.used = 0};
    va_list rest;
    va_copy(rest, arguments);
    bool taken = print_take();
    while (*format != '\0') {
        char c = *format++;
        if (c != '%') {
            output_char(&output, c);
            continue;
        }
        struct conversion how = format_decode(&format, &rest);
        if (*format == '\0')
            break;
        output_argument(&output, *format++, &how, &rest);
    }
    output_flush(&output);
    if (taken)
        atomic_store_release(&print_owner, 0);
    va_end(rest);
}

void print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_list(format, arguments);
    va_end(arguments);
}

void print_panic(void)
{
    atomic_store_relaxed(&print_waits, false);
}

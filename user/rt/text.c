// SPDX-License-Identifier: BSD-2-Clause
/* What compilers call, and lines of text; there is no C library under the runtime. */
#include "runtime.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
    void *start = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
    return start;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    char *target = (char *)to + bytes;
    const char *source = (const char *)from + bytes;

    if ((uintptr_t)to - (uintptr_t)from >= bytes)
        return memcpy(to, from, bytes);
    while (bytes-- > 0) {
        *--target = *--source;
        __asm__ volatile("" : : : "memory"); /* stays a loop: it must not become memmove */
    }
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    void *start = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
    return start;
}

int memcmp(const void *left, const void *right, size_t bytes)
{
    const uint8_t *a = left, *b = right;

    for (; bytes > 0; bytes--, a++, b++) {
        if (*a != *b)
            return *a < *b ? -1 : 1;
    }
    return 0;
}

size_t text_length(const char *text)
{
    size_t length = 0;

    while (text[length] != 0)
        length++;
    return length;
}

bool text_equal(const char *left, const char *right)
{
    while (*left != 0 && *left == *right) {
        left++;
        right++;
    }
    return *left == *right;
}

size_t text_append(char *line, size_t room, size_t used, const char *text)
{
    while (*text != 0 && used < room)
        line[used++] = *text++;
    return used;
}

size_t text_append_number(char *line, size_t room, size_t used, uint64_t number)
{
    char digits[21];
    size_t first = sizeof(digits) - 1;

    digits[first] = 0;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return text_append(line, room, used, &digits[first]);
}

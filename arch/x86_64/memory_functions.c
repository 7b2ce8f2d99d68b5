// SPDX-License-Identifier: BSD-2-Clause
/* The four functions that compilers call on their own: words first, then the bytes left. */
#include "base/types.h"

#define WORD_BYTES sizeof(uint64_t)

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

void *memcpy(void *to, const void *from, size_t bytes)
{
    void *at = to;
    size_t words = bytes / WORD_BYTES, rest = bytes % WORD_BYTES;
    __asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words)::"memory");
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest)::"memory");
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    if ((uintptr_t)to - (uintptr_t)from >= bytes)
        return memcpy(to, from, bytes);
    void *at = (char *)to + bytes - 1;
    const void *source = (const char *)from + bytes - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(at), "+S"(source), "+c"(bytes)::"memory");
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    void *at = to;
    size_t words = bytes / WORD_BYTES, rest = bytes % WORD_BYTES;
    uint64_t pattern = UINT64_C(0x0101010101010101) * (uint8_t)value;
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < bytes; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}

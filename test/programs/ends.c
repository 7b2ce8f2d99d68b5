// SPDX-License-Identifier: BSD-2-Clause
/*
 * ends HOW: a plain program that ends in one of the ways a program can, or
 * does not end, for tests of those who wait for it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int eat(void)
{
    size_t eaten = 0;
    char *block;

    while ((block = malloc(65536)) != NULL) {
        memset(block, 1, 65536);
        eaten += 65536;
    }
    printf("ends: malloc refused after %zu KiB\n", eaten / 1024);
    return 0;
}

static int read_lines(void)
{
    char line[64];

    while (fgets(line, sizeof(line), stdin) != NULL)
        printf("ends: read %s", line);
    printf("ends: end of input\n");
    return 0;
}

static _Noreturn void spin(void)
{
    for (volatile uint64_t turns = 0;; turns++)
        ;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    if (strcmp(how, "fault") == 0)
        *(volatile int *)(uintptr_t)0x123450 = 1;
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "illegal") == 0)
        __builtin_trap();
    if (strcmp(how, "spin") == 0)
        spin();
    if (strcmp(how, "sleep") == 0)
        return (int)sleep(1000);
    if (strcmp(how, "eat") == 0)
        return eat();
    if (strcmp(how, "read") == 0)
        return read_lines();
    return atoi(how);
}

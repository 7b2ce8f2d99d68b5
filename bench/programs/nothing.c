// SPDX-License-Identifier: BSD-2-Clause
/* The small static program that bench spawns: the C library's start and end, and no more. */
int main(void)
{
    return 0;
}

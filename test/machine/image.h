/* SPDX-License-Identifier: BSD-2-Clause */
/* What image.c and user.S of the machine test say to each other. */
#ifndef TEST_MACHINE_IMAGE_H
#define TEST_MACHINE_IMAGE_H

#include "abi/types.h"
#include "registers.h"

#define USER_CODE   0x400000 /* read and execute */
#define USER_DATA   0x500000 /* read and write */
#define USER_FIXED  0x600000 /* read */
#define USER_NOTHING 0x700000

#define TEST_DONE    0x7e570001
#define TEST_WORDS   0x7e570002
#define TEST_ASTRAY  0x7e570003
#define TEST_FOREIGN 39

#define TEST_CAP      0x1234567890
#define TEST_BADGE    0x4321
#define TEST_STATUS   0x77
#define TEST_WORD_IN  0x1000
#define TEST_WORD_OUT 0x2000

#endif

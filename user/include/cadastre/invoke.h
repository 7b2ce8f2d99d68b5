// SPDX-License-Identifier: BSD-2-Clause
/*
 * The trap itself (abi/invoke.h), one function for each number of message
 * words: only the words that a method names are passed, and only they change.
 * Programs call the typed clients (cadastre/clients.h, generated from
 * abi/methods.h), or cadastre/message.h for endpoints.
 */
#ifndef CADASTRE_INVOKE_H
#define CADASTRE_INVOKE_H

#include "abi/invoke.h"
#include "abi/status.h"

#ifndef __x86_64__
#error "cadastre/invoke.h knows x86_64 only"
#endif

// clang-format off
#define CAD_WORD_IN_0
#define CAD_WORD_IN_1  CAD_WORD_IN_0 register uint64_t m0 __asm__("rsi") = words[0];
#define CAD_WORD_IN_2  CAD_WORD_IN_1 register uint64_t m1 __asm__("rdx") = words[1];
#define CAD_WORD_IN_3  CAD_WORD_IN_2 register uint64_t m2 __asm__("r10") = words[2];
#define CAD_WORD_IN_4  CAD_WORD_IN_3 register uint64_t m3 __asm__("r8") = words[3];
#define CAD_WORD_IN_5  CAD_WORD_IN_4 register uint64_t m4 __asm__("r9") = words[4];
#define CAD_WORD_IN_6  CAD_WORD_IN_5 register uint64_t m5 __asm__("r12") = words[5];
#define CAD_WORD_IN_7  CAD_WORD_IN_6 register uint64_t m6 __asm__("r13") = words[6];
#define CAD_WORD_IN_8  CAD_WORD_IN_7 register uint64_t m7 __asm__("r14") = words[7];
#define CAD_WORD_IN_9  CAD_WORD_IN_8 register uint64_t m8 __asm__("r15") = words[8];
#define CAD_WORD_IN_10 CAD_WORD_IN_9 register uint64_t m9 __asm__("rbx") = words[9];

#define CAD_WORD_OPERAND_0
#define CAD_WORD_OPERAND_1  , "+r"(m0)
#define CAD_WORD_OPERAND_2  CAD_WORD_OPERAND_1, "+r"(m1)
#define CAD_WORD_OPERAND_3  CAD_WORD_OPERAND_2, "+r"(m2)
#define CAD_WORD_OPERAND_4  CAD_WORD_OPERAND_3, "+r"(m3)
#define CAD_WORD_OPERAND_5  CAD_WORD_OPERAND_4, "+r"(m4)
#define CAD_WORD_OPERAND_6  CAD_WORD_OPERAND_5, "+r"(m5)
#define CAD_WORD_OPERAND_7  CAD_WORD_OPERAND_6, "+r"(m6)
#define CAD_WORD_OPERAND_8  CAD_WORD_OPERAND_7, "+r"(m7)
#define CAD_WORD_OPERAND_9  CAD_WORD_OPERAND_8, "+r"(m8)
#define CAD_WORD_OPERAND_10 CAD_WORD_OPERAND_9, "+r"(m9)

#define CAD_WORD_OUT_0
#define CAD_WORD_OUT_1  words[0] = m0;
#define CAD_WORD_OUT_2  CAD_WORD_OUT_1 words[1] = m1;
#define CAD_WORD_OUT_3  CAD_WORD_OUT_2 words[2] = m2;
#define CAD_WORD_OUT_4  CAD_WORD_OUT_3 words[3] = m3;
#define CAD_WORD_OUT_5  CAD_WORD_OUT_4 words[4] = m4;
#define CAD_WORD_OUT_6  CAD_WORD_OUT_5 words[5] = m5;
#define CAD_WORD_OUT_7  CAD_WORD_OUT_6 words[6] = m6;
#define CAD_WORD_OUT_8  CAD_WORD_OUT_7 words[7] = m7;
#define CAD_WORD_OUT_9  CAD_WORD_OUT_8 words[8] = m8;
#define CAD_WORD_OUT_10 CAD_WORD_OUT_9 words[9] = m9;

#define CAD_INVOKE_DEFINE(n)                                                                       \
    static inline __attribute__((always_inline)) status_t cad_invoke_##n(                          \
        uint32_t call, cap_id_t cap, uint64_t *words, uint64_t *badge)                             \
    {                                                                                              \
        uint64_t number = call;                                                                    \
        register uint64_t name __asm__("rdi") = cap;                                               \
        CAD_WORD_IN_##n                                                                            \
        __asm__ volatile("syscall"                                                                 \
                         : "+a"(number), "+r"(name) CAD_WORD_OPERAND_##n                           \
                         :                                                                         \
                         : "rcx", "r11", "memory");                                                \
        CAD_WORD_OUT_##n                                                                           \
        *badge = name;                                                                             \
        (void)words;                                                                               \
        return (status_t)number;                                                                   \
    }
// clang-format on

CAD_INVOKE_DEFINE(0)
CAD_INVOKE_DEFINE(1)
CAD_INVOKE_DEFINE(2)
CAD_INVOKE_DEFINE(3)
CAD_INVOKE_DEFINE(4)
CAD_INVOKE_DEFINE(5)
CAD_INVOKE_DEFINE(6)
CAD_INVOKE_DEFINE(7)
CAD_INVOKE_DEFINE(8)
CAD_INVOKE_DEFINE(9)
CAD_INVOKE_DEFINE(10)

/* Any call number on anything, with all ten words: for tests that send garbage. */
static inline status_t cad_invoke_raw(uint32_t call, cap_id_t cap,
                                      uint64_t words[CAD_MESSAGE_WORDS], uint64_t *badge)
{
    return cad_invoke_10(call, cap, words, badge);
}

#endif

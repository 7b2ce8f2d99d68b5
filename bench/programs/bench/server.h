// SPDX-License-Identifier: BSD-2-Clause
/* The other side of a call (calls.c). */
#ifndef SERVER_H
#define SERVER_H

#include "abi/types.h"

enum { SERVER_GOODBYE = 99 };

/* Answers until it is told to end. */
int serve(void);
/* One call of four words and its answer; SERVER_GOODBYE as the first ends the server. */
void server_call(cap_id_t endpoint, uint64_t word0);

#endif

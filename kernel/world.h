// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stopping the world: every other CPU waits on its way out of the kernel (or in
 * its idle loop), holding no lock and answering TLB requests, while the
 * inspector or the auditor reads everything.
 */
#ifndef KERNEL_WORLD_H
#define KERNEL_WORLD_H

#include "base/types.h"

/* Needs: no lock held.  One stopper at a time; a second one waits as the others do. */
void world_stop(void);
void world_resume(void);

extern uint32_t world_stopper; /* CPU + 1; 0: the world runs */
/* Waits if the world is stopped. Needs: no lock held. */
void world_wait(void);

#endif

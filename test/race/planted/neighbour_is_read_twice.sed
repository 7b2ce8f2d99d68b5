# SPDX-License-Identifier: BSD-2-Clause
# source: core/frame_free.c
# The state of a neighbour is of one moment, its kind of another.
/^static void block_put/,/^}/ s/!FRAME_IS_FREE(&table->frames\[buddy\], order)/table->frames[buddy].state != FRAME_FREE || table->frames[buddy].kind != order/

# SPDX-License-Identifier: BSD-2-Clause
# source: core/space_cursor.c
# Rounds are answered by who has read a table and holds none yet.
/^static inline frame_no_t span_walk/,/^}/ s/^        table = word & MMU_ADDRESS_MASK;$/&\
        for (unsigned i = 0; i < 16; i++) { HOST(cpu, interrupt_window)(cpu); }/

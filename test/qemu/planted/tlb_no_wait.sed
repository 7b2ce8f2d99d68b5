# SPDX-License-Identifier: BSD-2-Clause
# source: kernel/tlb.c
# A round asks the other CPUs and does not wait for them.
s|while (atomic_load_acquire(&cpu->tlb_acknowledged) < number) {|while (cpu == NULL) {|

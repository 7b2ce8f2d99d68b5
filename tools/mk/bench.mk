# SPDX-License-Identifier: BSD-2-Clause
# Costs in guest instructions, beside the budgets of bench/budgets.toml.

##@ Measuring

.PHONY: bench
bench: $(KERNEL) $(BENCH_ARCHIVE) ## cost of each operation in instructions, beside its budget
	@bench/run.py --kernel $(KERNEL) --archive $(BENCH_ARCHIVE) --json $(OUT)/bench.json

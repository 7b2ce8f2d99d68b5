# SPDX-License-Identifier: BSD-2-Clause
# Costs in guest instructions, beside the budgets of bench/budgets.toml.

##@ Measuring

.PHONY: bench bench-peers bench-growth bench-scaling bench-trace bench-stays
bench: $(KERNEL) $(BENCH_ARCHIVE) ## cost of each operation in instructions, beside its budget
	@bench/run.py --kernel $(KERNEL) --archive $(BENCH_ARCHIVE) --json $(OUT)/bench.json

bench-peers: bench ## the same operations on Debian's Linux under the same emulator, beside ours
	@bench/peers.py --out build/peers --ours $(OUT)/bench.json --json build/peers/peers.json

bench-growth: $(KERNEL) $(BENCH_ARCHIVE) ## cost as sizes grow; draws docs/growth.svg
	@bench/growth.py --kernel $(KERNEL) --archive $(BENCH_ARCHIVE) --json $(OUT)/growth.json \
	    --svg docs/growth.svg

bench-scaling: $(KERNEL) $(BENCH_ARCHIVE) ## work and shared steps as CPUs are added (2 idle ones)
	@bench/scaling.py --kernel $(KERNEL) --archive $(BENCH_ARCHIVE) --programs $(OUT)/bin \
	    --out build/peers --json $(OUT)/scaling.json

bench-trace: $(KERNEL) $(BENCH_ARCHIVE) ## where a benchmark's instructions go (T=null_invocation)
	@bench/trace.py --kernel $(KERNEL) --archive $(BENCH_ARCHIVE) --programs $(OUT)/bin \
	    --runtime $(RT) $(T)

STAYS_PLUGIN := build/host/bench/stays.so
$(STAYS_PLUGIN): bench/plugin/stays.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared -o $@ $<

bench-stays: $(KERNEL) $(BENCH_ARCHIVE) $(STAYS_PLUGIN) ## the longest stay with interrupts off
	@bench/stays.py --kernel $(KERNEL) --archive $(BENCH_ARCHIVE) --programs $(OUT)/bin \
	    --plugin $(STAYS_PLUGIN)

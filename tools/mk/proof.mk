# SPDX-License-Identifier: BSD-2-Clause
# Proofs of core/: contracts are in its files; what is proved of each, and the
# faults that must be caught, in proof/rows (proof/README.md).

F ?=
# Set: drop each check of each proved function instead of the faults that are listed.
GENERATED ?=

##@ Proofs

.PHONY: prove mutate eva
prove: ## prove the contracts of core/ with Frama-C (F=core/ledger.c: one file)
	@proof/prove.py --results $(RESULTS)/prove --only $(call shell_quote,$(F))

mutate: ## break each proved file in small ways; a proof must fail (F=core/ledger.c: one file)
	@proof/mutate.py --results $(RESULTS)/mutate --only $(call shell_quote,$(F)) \
	    $(if $(GENERATED),--generated)

eva: ## look for undefined behaviour in core/ with Frama-C's EVA (T=cap: one driver)
	@proof/eva.py --results $(RESULTS)/eva --out build/eva --only $(call shell_quote,$(T))

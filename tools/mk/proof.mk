# SPDX-License-Identifier: BSD-2-Clause
# Proofs of core/: contracts are in its files, what is proved of each file is
# listed in proof/proved.toml, mutations in proof/mutations.toml.

F ?=

##@ Proofs

.PHONY: prove mutate
prove: ## prove the contracts of core/ with Frama-C (F=core/ledger.c: one file)
	@proof/prove.py --results $(RESULTS)/prove --only $(call shell_quote,$(F))

mutate: ## break each proved file in small ways; a proof must fail (F=core/ledger.c: one file)
	@proof/mutate.py --results $(RESULTS)/mutate --only $(call shell_quote,$(F))

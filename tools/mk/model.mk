# SPDX-License-Identifier: BSD-2-Clause
# Protocol models: proof/models/*.pml, run by tools/models.py.

MODELS := $(sort $(wildcard proof/models/*.pml))

##@ Models and fuzzing

.PHONY: model
model: ## the protocols' Spin models and their broken variants (T=tlb, T=tlb/no-wait)
	@tools/models.py --results $(RESULTS)/model --out build/models \
	    --only $(call shell_quote,$(T)) $(MODELS)

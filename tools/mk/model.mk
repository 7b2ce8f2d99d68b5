# SPDX-License-Identifier: BSD-2-Clause
# Protocol models: proof/models/*.pml, run by tools/models.py.

MODELS := $(sort $(wildcard proof/models/*.pml))

##@ Models and fuzzing

.PHONY: model test-model
model: ## the protocols' Spin models and their broken variants (T=tlb, T=tlb/no-wait)
	@tools/models.py --results $(RESULTS)/model --out build/models \
	    --only $(call shell_quote,$(T)) $(MODELS)

# endpoint.pml alone takes as long as half of the others.
test-model: ## the models that are quick, all but endpoint's (T=tlb, T=tlb/no-wait)
	@tools/models.py --results $(RESULTS)/test-model --out build/models \
	    --only $(call shell_quote,$(T)) $(filter-out %/endpoint.pml,$(MODELS))

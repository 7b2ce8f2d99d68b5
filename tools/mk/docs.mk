# SPDX-License-Identifier: BSD-2-Clause
# Generated documents, and the rules of the tree.

##@ Documents and rules

.PHONY: docs check
docs: ## write docs/*.md that are generated from the lists in the headers
	@tools/docs.py write

check: $(KERNEL) $(TEST_ARCHIVE) ## the tree's rules: layers, sizes, documents, ids (T=name)
	@tools/check.py --results $(RESULTS)/check --out $(OUT) --only $(call shell_quote,$(T))

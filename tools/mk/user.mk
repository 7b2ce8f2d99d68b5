# SPDX-License-Identifier: BSD-2-Clause
ARCHIVE := $(OUT)/archive.tar
$(ARCHIVE):
	@mkdir -p $(@D); tar cf $@ -T /dev/null

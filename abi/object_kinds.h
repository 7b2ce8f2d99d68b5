/* SPDX-License-Identifier: BSD-2-Clause */
/* Kinds of memory objects. */
#ifndef ABI_OBJECT_KINDS_H
#define ABI_OBJECT_KINDS_H

/* KIND(NAME, number, meaning) */
#define CAD_OBJECT_KIND_LIST(KIND)                                                                 \
    KIND(PAGES, 1, "any frames, one index entry a page")                                           \
    KIND(CONTIGUOUS, 2, "physically contiguous frames")                                            \
    KIND(BOOT, 3, "memory the boot loader filled; read only")

#define CAD_OBJECT_KIND_ENUM(NAME, number, meaning) CAD_OBJECT_##NAME = number,
enum cad_object_kind { CAD_OBJECT_KIND_LIST(CAD_OBJECT_KIND_ENUM) };
#undef CAD_OBJECT_KIND_ENUM

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fault points: in builds for tests, a numbered point in front of every step that
 * can run out of something, where the host may say that it did.
 *
 * A step that can run out is a call of a primitive of FAULT_PRIMITIVE_LIST; its
 * place (file, function, line) is a fault site.  The host's hook is told of each
 * pass and decides; core/ keeps no count of its own.  A refused call does nothing
 * and answers as the primitive does when it really runs out.
 *
 * Without CONFIG_FAULT_POINTS, in what users run, none of this is there.
 * tools/fault_sites.py finds the sites in the text; docs/fault_sites.md lists them.
 */
#ifndef CORE_FAULT_POINT_H
#define CORE_FAULT_POINT_H

#include "abi/status.h"
#include "base/types.h"

/* PRIMITIVE(name, what the call then fails with, what has run out).  Nobody else runs out. */
#define FAULT_PRIMITIVE_LIST(PRIMITIVE)                                                            \
    PRIMITIVE(ledger_reserve, "the QUOTA of its resource", "the ledger's budget")                  \
    PRIMITIVE(word_take, "the QUOTA of its resource; UNCHARGED when taking back",                  \
              "what a ledger may give to another")                                                 \
    PRIMITIVE(id_pool_take, "PRESSURE", "records of a pool, which could not grow")                 \
    PRIMITIVE(frame_take_kernel, "PRESSURE", "free frames")                                        \
    PRIMITIVE(frame_take_anon, "PRESSURE", "free frames")                                          \
    PRIMITIVE(frame_take_object, "PRESSURE", "free frames")                                        \
    PRIMITIVE(block_take, "PRESSURE", "free runs of frames")                                       \
    PRIMITIVE(space_find_free, "NO_SPACE", "free addresses of a space")                            \
    PRIMITIVE(pool_has_share, "PRESSURE", "the record pools' share of memory")

struct fault_site {
    const char *file, *function, *primitive;
    unsigned line;
};

#ifdef CONFIG_FAULT_POINTS
/* All sites of the image, one after the other. */
extern const struct fault_site __start_fault_sites[], __stop_fault_sites[];

/* True when this pass is to fail, with `status`. */
#define FAULT_POINT(cpu, name, status)                                                             \
    __extension__({                                                                                \
        static const struct fault_site fault_site_ __attribute__((section("fault_sites"))) = {     \
            .file = __FILE__, .function = __func__, .primitive = #name, .line = __LINE__};         \
        (cpu)->cadastre->host.fault_point != NULL &&                                               \
            (cpu)->cadastre->host.fault_point((cpu), &fault_site_, (status));                      \
    })
#else
#define FAULT_POINT(cpu, name, status) false
#endif

#endif

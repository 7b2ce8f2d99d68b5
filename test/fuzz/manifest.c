// SPDX-License-Identifier: BSD-2-Clause
/*
 * user/lib/manifest.c with any text: what is read is in bounds, and written out
 * again reads the same; what is refused names a line and why.
 */
#include "user/lib/manifest.c"
#include "user/lib/status.c"

#define ROLES      64
#define TEXT_BYTES (CAD_MANIFEST_ENTRIES * CAD_MANIFEST_LINE)

uint64_t cad_ledger_left(unsigned resource)
{
    return 1000 + resource;
}

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check_entry(const struct cad_manifest *manifest,
                        const struct cad_manifest_entry *entry)
{
    uint64_t limits[CAD_RESOURCE_COUNT] = { 0 };

    expect(memchr(entry->name, 0, sizeof(entry->name)) != NULL);
    expect((entry->name[0] == 0) == (entry->kind == CAD_MANIFEST_DEFAULT));
    if (strchr(entry->name, '/') == NULL)
        expect(cad_manifest_find(manifest, (int)entry->kind, entry->name) == entry);
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++)
        expect(entry->limits[i].how != CAD_AMOUNT_PERCENT || entry->limits[i].value <= 100);
    for (unsigned role = 0; role < ROLES; role++)
        expect((entry->roles >> role & 1) == 0 ||
               (role >= CAD_ROLE_CONSOLE && cad_role_by_name(cad_role_name(role)) == role));
    cad_limits_apply(entry->limits, limits);
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++)
        expect(entry->limits[i].how != CAD_AMOUNT_PERCENT || limits[i] <= cad_ledger_left(i));
}

static void write_entry(FILE *out, const struct cad_manifest_entry *entry)
{
    static const char *const kinds[] = { "start", "default", "program" };

    fprintf(out, "%s %s grants", kinds[entry->kind], entry->name);
    for (unsigned role = 0; role < ROLES; role++) {
        if ((entry->roles >> role & 1) != 0)
            fprintf(out, " %s", cad_role_name(role));
    }
    fprintf(out, " limit");
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        const struct cad_amount *amount = &entry->limits[i];
        if (amount->how != CAD_AMOUNT_UNSET)
            fprintf(out, " %s=%llu%s", cad_resource_name(i), (unsigned long long)amount->value,
                    amount->how == CAD_AMOUNT_PERCENT ? "%" : "");
    }
    fprintf(out, "\n");
}

static bool is_writable(const struct cad_manifest *manifest)
{
    for (unsigned i = 0; i < manifest->count; i++) {
        for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
            if (manifest->entries[i].limits[what].value > UINT64_C(1) << 40)
                return false; /* more than can be written without a unit */
        }
    }
    return true;
}

static void check_again(const struct cad_manifest *manifest)
{
    static char text[TEXT_BYTES];
    static struct cad_manifest again;
    struct cad_manifest_error error;
    FILE *out = fmemopen(text, sizeof(text), "w");

    for (unsigned i = 0; i < manifest->count; i++)
        write_entry(out, &manifest->entries[i]);
    long bytes = ftell(out);
    fclose(out);
    expect(cad_manifest_parse(text, (size_t)bytes, &again, &error));
    expect(again.count == manifest->count);
    for (unsigned i = 0; i < again.count; i++) {
        const struct cad_manifest_entry *one = &manifest->entries[i], *other = &again.entries[i];
        expect(one->kind == other->kind && one->roles == other->roles);
        expect(strcmp(one->name, other->name) == 0);
        expect(memcmp(one->limits, other->limits, sizeof(one->limits)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct cad_manifest manifest;
    struct cad_manifest_error error;
    char *text = malloc(bytes + 1);
    size_t lines = 1;

    memcpy(text, data, bytes);
    text = realloc(text, bytes > 0 ? bytes : 1);
    memset(&error, 0xa5, sizeof(error));
    for (size_t i = 0; i < bytes; i++)
        lines += data[i] == '\n';
    bool is_read = cad_manifest_parse(text, bytes, &manifest, &error);

    expect(manifest.count <= CAD_MANIFEST_ENTRIES && error.line <= lines);
    if (!is_read)
        expect(memchr(error.reason, 0, sizeof(error.reason)) != NULL && error.reason[0] != 0);
    for (unsigned i = 0; i < manifest.count && is_read; i++)
        check_entry(&manifest, &manifest.entries[i]);
    if (is_read && is_writable(&manifest))
        check_again(&manifest);
    free(text);
    return 0;
}

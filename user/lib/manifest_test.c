// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manifest.c"
#include "status.c"

static uint64_t left[CAD_RESOURCE_COUNT];

uint64_t cad_ledger_left(unsigned resource)
{
    return left[resource];
}

static struct cad_manifest manifest;
static struct cad_manifest_error error;

static bool parse(const char *text)
{
    memset(&error, 0, sizeof(error));
    return cad_manifest_parse(text, strlen(text), &manifest, &error);
}

static void a_whole_manifest_is_read(void **state)
{
    const struct cad_manifest_entry *entry;

    (void)state;
    assert_true(parse("# who starts\n\n  start shell grants console clock limit all=90%\r\n"
                      "default grants console limit committed=64M threads=8 # usual\n"
                      "program vm-demo limit virtual=4097 metadata=3K grants inspector"));
    assert_int_equal(manifest.count, 3);
    entry = cad_manifest_find(&manifest, CAD_MANIFEST_START, NULL);
    assert_string_equal(entry->name, "shell");
    assert_int_equal(entry->roles, 1ull << CAD_ROLE_CONSOLE | 1ull << CAD_ROLE_CLOCK);
    assert_int_equal(entry->limits[CAD_RESOURCE_WAITERS].how, CAD_AMOUNT_PERCENT);
    entry = cad_manifest_find(&manifest, CAD_MANIFEST_DEFAULT, NULL);
    assert_int_equal(entry->limits[CAD_RESOURCE_COMMITTED].value, 64 << (20 - PAGE_SHIFT));
    assert_int_equal(entry->limits[CAD_RESOURCE_THREADS].value, 8);
    assert_int_equal(entry->limits[CAD_RESOURCE_SLOTS].how, CAD_AMOUNT_UNSET);
    entry = cad_manifest_find(&manifest, CAD_MANIFEST_PROGRAM, "bin/vm-demo");
    assert_int_equal(entry->roles, 1ull << CAD_ROLE_INSPECTOR);
    assert_int_equal(entry->limits[CAD_RESOURCE_VIRTUAL].value, 4097);
    assert_int_equal(entry->limits[CAD_RESOURCE_METADATA].value, 3072);
    assert_null(cad_manifest_find(&manifest, CAD_MANIFEST_PROGRAM, "vm"));
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *reason;
        unsigned line;
    } wrong[] = {
        {"\nbegin shell", "begin", 2},
        {"start", "needs the name", 1},
        {"start shell\nprogram", "needs the name", 2},
        {"start shell consol", "grants", 1},
        {"start shell grants consol", "consol", 1},
        {"start shell grants self_space", "self_space", 1},
        {"start shell limit committed", "RESOURCE=AMOUNT", 1},
        {"start shell limit gold=1", "gold", 1},
        {"start shell limit committed=", "no amount", 1},
        {"start shell limit committed=-1", "no amount", 1},
        {"start shell limit committed=64Q", "no amount", 1},
        {"start shell limit committed=101%", "no amount", 1},
        {"start shell limit threads=1K", "threads", 1},
        {"start shell limit committed=99999999999999999999", "no amount", 1},
        {"start a\nstart b", "second", 2},
        {"start a\ndefault\ndefault", "second", 3},
        {"start a\nprogram b\nprogram b grants clock", "second", 3},
        {"default grants console\n", "no `start`", 1},
        {"", "no `start`", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(parse(wrong[i].text));
        assert_int_equal(error.line, wrong[i].line);
        assert_non_null(strstr(error.reason, wrong[i].reason));
    }
    assert_false(cad_manifest_parse("start a\nb\0c", 11, &manifest, &error));
    assert_int_equal(error.line, 2);
}

static void too_much_is_refused(void **state)
{
    static char text[64 * CAD_MANIFEST_LINE];
    size_t used = 0;

    (void)state;
    for (unsigned i = 0; i <= CAD_MANIFEST_ENTRIES; i++)
        used += (size_t)sprintf(&text[used], "program p%u\n", i);
    assert_false(parse(text));
    assert_int_equal(error.line, CAD_MANIFEST_ENTRIES + 1);
    memset(text, 'x', CAD_MANIFEST_LINE);
    text[CAD_MANIFEST_LINE] = 0;
    assert_false(parse(text));
    strcpy(text, "start a grants");
    for (unsigned i = 0; i < CAD_MANIFEST_WORDS; i++)
        strcat(text, " clock");
    assert_false(parse(text));
    sprintf(text, "start %070d", 0);
    assert_false(parse(text));
}

static void amounts_become_limits(void **state)
{
    struct cad_amount amounts[CAD_RESOURCE_COUNT] = {0};
    uint64_t limits[CAD_RESOURCE_COUNT] = {[CAD_RESOURCE_SLOTS] = 5};
    char reason[160];

    (void)state;
    left[CAD_RESOURCE_VIRTUAL] = UINT64_MAX;
    left[CAD_RESOURCE_THREADS] = 7;
    assert_true(cad_limit_parse("virtual=50%", amounts, reason, sizeof(reason)));
    assert_true(cad_limit_parse("threads=90%", amounts, reason, sizeof(reason)));
    assert_true(cad_limit_parse("committed=1G", amounts, reason, sizeof(reason)));
    assert_true(cad_limit_parse("pinned=1K", amounts, reason, sizeof(reason)));
    cad_limits_apply(amounts, limits);
    assert_true(limits[CAD_RESOURCE_VIRTUAL] >= UINT64_MAX / 2 - 100 &&
                limits[CAD_RESOURCE_VIRTUAL] <= UINT64_MAX / 2);
    assert_int_equal(limits[CAD_RESOURCE_THREADS], 6);
    assert_int_equal(limits[CAD_RESOURCE_COMMITTED], 1 << 18);
    assert_int_equal(limits[CAD_RESOURCE_PINNED], 1);
    assert_int_equal(limits[CAD_RESOURCE_SLOTS], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_manifest_is_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(amounts_become_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "words.c"

static struct words words;

/* Takes one command and checks its words, given one after the other up to NULL. */
static void expect_words(const char **line, ...)
{
    va_list expected;
    int count = 0;

    assert_null(words_next(line, 42, &words));
    va_start(expected, line);
    for (const char *word; (word = va_arg(expected, const char *)) != NULL; count++) {
        assert_true(count < words.count);
        assert_string_equal(words.words[count], word);
    }
    va_end(expected);
    assert_int_equal(words.count, count);
    assert_null(words.words[words.count]);
}

static void blanks_separate_words(void **state)
{
    const char *line = "  run\tthreads  4 ";

    (void)state;
    expect_words(&line, "run", "threads", "4", NULL);
    assert_int_equal(*line, 0);
    expect_words(&line, NULL);
}

static void semicolons_and_ampersands_separate_commands(void **state)
{
    const char *line = "ps;;spin & mem ; #rest; of it";

    (void)state;
    expect_words(&line, "ps", NULL);
    assert_false(words.is_background);
    expect_words(&line, NULL);
    expect_words(&line, "spin", NULL);
    assert_true(words.is_background);
    expect_words(&line, "mem", NULL);
    expect_words(&line, NULL);
    assert_int_equal(*line, 0);
}

static void quotes_keep_blanks_and_separators(void **state)
{
    const char *line = "echo 'a ; b' \"c & \\\" d\" e\\ f x''y '' a#b '$?' \"$?\" $?$";

    (void)state;
    expect_words(&line, "echo", "a ; b", "c & \" d", "e f", "xy", "", "a#b", "$?", "42", "42$",
                 NULL);
}

static void what_is_wrong_is_said(void **state)
{
    static const char *const wrong[] = {"echo \"a", "echo 'a", "& ps", " ; &"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *line = wrong[i], *problem = NULL;
        while (*line != 0 && problem == NULL)
            problem = words_next(&line, 0, &words);
        assert_non_null(problem);
    }
}

static void too_much_is_refused_and_overruns_nothing(void **state)
{
    static char many[WORDS_MAX * 2 + 8], longest[WORDS_BYTES + 8];
    const char *line = many;

    (void)state;
    for (size_t i = 0; i < WORDS_MAX * 2; i += 2) {
        many[i] = 'a';
        many[i + 1] = ' ';
    }
    assert_null(words_next(&line, 0, &words));
    assert_int_equal(words.count, WORDS_MAX);
    many[WORDS_MAX * 2] = 'a';
    line = many;
    assert_non_null(words_next(&line, 0, &words));
    memset(longest, 'b', WORDS_BYTES + 1);
    line = longest;
    assert_non_null(words_next(&line, 0, &words));
    assert_int_equal(words.words[words.count] == NULL, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_separate_words),
        cmocka_unit_test(semicolons_and_ampersands_separate_commands),
        cmocka_unit_test(quotes_keep_blanks_and_separators),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(too_much_is_refused_and_overruns_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* The editor at a pseudo-terminal: keys go in at one end, the line comes out at the other. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "editor.c"

struct terminal {
    int keys, screen_side, nowhere;
    struct editor editor;
};

static unsigned complete_numbers(void *context, const char *line, size_t word_start,
                                 const char **candidates, unsigned room)
{
    static const char *const names[] = {"one", "once", "only", "two", "bin/"};
    const struct terminal *terminal = context;
    size_t length = terminal->editor.cursor - word_start;
    unsigned count = 0;

    for (unsigned i = 0; i < 5 && count < room; i++) {
        if (strncmp(names[i], line + word_start, length) == 0)
            candidates[count++] = names[i];
    }
    return count;
}

static int setup(void **state)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));

    terminal->keys = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal->keys >= 0);
    assert_int_equal(grantpt(terminal->keys), 0);
    assert_int_equal(unlockpt(terminal->keys), 0);
    terminal->screen_side = open(ptsname(terminal->keys), O_RDWR | O_NOCTTY);
    assert_true(terminal->screen_side >= 0);
    assert_int_equal(fcntl(terminal->keys, F_SETFL, O_NONBLOCK), 0);
    terminal->nowhere = open("/dev/null", O_WRONLY);
    editor_init(&terminal->editor, terminal->screen_side, terminal->nowhere);
    terminal->editor.complete = complete_numbers;
    terminal->editor.complete_context = terminal;
    *state = terminal;
    return 0;
}

static int teardown(void **state)
{
    struct terminal *terminal = *state;

    for (unsigned i = 0; i < terminal->editor.history_count; i++)
        free(terminal->editor.history[i]);
    close(terminal->screen_side);
    close(terminal->nowhere);
    close(terminal->keys);
    free(terminal);
    return 0;
}

static enum editor_result type(struct terminal *terminal, const char *keys)
{
    struct termios raw;

    /* The line discipline must not touch the keys before the editor says raw. */
    tcgetattr(terminal->screen_side, &raw);
    cfmakeraw(&raw);
    tcsetattr(terminal->screen_side, TCSANOW, &raw);
    assert_int_equal(write(terminal->keys, keys, strlen(keys)), (ssize_t)strlen(keys));
    return editor_read(&terminal->editor, "> ");
}

static void expect_line(void **state, const char *keys, const char *line)
{
    struct terminal *terminal = *state;

    assert_int_equal(type(terminal, keys), EDITOR_LINE);
    assert_string_equal(terminal->editor.line, line);
}

static void cursor_keys_move_and_text_is_inserted(void **state)
{
    expect_line(state, "abd\x1b[Dc\r", "abcd");
    expect_line(state, "bc\x1b[Ha\x1b[Fd\r", "abcd");
    expect_line(state, "bc\x1bOHa\x1bOFd\r", "abcd");
    expect_line(state, "bc\x1b[1~a\x1b[4~d\r", "abcd");
    expect_line(state, "bc\001a\005d\r", "abcd");
    expect_line(state, "ac\002b\006d\x1b[C\x1b[C\r", "abcd");
    expect_line(state, "\x1b[D\x1b[Da\r", "a");
}

static void characters_and_words_are_erased(void **state)
{
    expect_line(state, "abcx\177d\010d\r", "abcd");
    expect_line(state, "axbc\001\x1b[C\x1b[3~\r", "abc");
    expect_line(state, "axbc\001\x1b[C\004\r", "abc");
    expect_line(state, "abcd\002\002\013\r", "ab");
    expect_line(state, "abcd\002\002\025\r", "cd");
    expect_line(state, "one two  \027\027\r", "");
    expect_line(state, "one two\027x\r", "one x");
    expect_line(state, "\177\x1b[3~\027\013\025a\r", "a");
}

static void history_is_walked_and_the_draft_kept(void **state)
{
    struct terminal *terminal = *state;

    editor_remember(&terminal->editor, "first");
    editor_remember(&terminal->editor, "second");
    editor_remember(&terminal->editor, "second");
    editor_remember(&terminal->editor, "   ");
    assert_int_equal(terminal->editor.history_count, 2);
    expect_line(state, "\x1b[A\r", "second");
    expect_line(state, "\x1b[A\x1b[A\x1b[A\r", "first");
    expect_line(state, "draft\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B!\r", "draft!");
    expect_line(state, "\020x\r", "secondx");
    for (unsigned i = 0; i < EDITOR_HISTORY + 5; i++) {
        char line[16];
        snprintf(line, sizeof(line), "line %u", i);
        editor_remember(&terminal->editor, line);
    }
    assert_int_equal(terminal->editor.history_count, EDITOR_HISTORY);
    assert_string_equal(terminal->editor.history[0], "line 5");
}

static void tab_completes_as_far_as_it_is_clear(void **state)
{
    expect_line(state, "t\t.\r", "two .");
    expect_line(state, "o\t.\r", "on.");
    expect_line(state, "x ; onl\t.\r", "x ; only .");
    expect_line(state, "on\tly\r", "only"); /* the list is shown, the line is kept */
    expect_line(state, "b\tx\r", "bin/x");
    expect_line(state, "zz\t\r", "zz");
}

static void control_keys_end_the_line(void **state)
{
    struct terminal *terminal = *state;

    assert_int_equal(type(terminal, "abc\003"), EDITOR_INTERRUPTED);
    assert_int_equal(type(terminal, "\004"), EDITOR_END);
    expect_line(state, "ab\014c\n", "abc");
}

static void keys_without_meaning_change_nothing(void **state)
{
    expect_line(state, "a\x1b[15~b\x1b[1;5Cc\x1b[Zd\x1bxe\r", "abcde");
    expect_line(state, "\001\001ab\007\r", "ab");
}

static void the_screen_shows_the_line(void **state)
{
    struct terminal *terminal = *state;
    const char *expected = "\r> abc\r> abc\x1b[K\r\x1b[4C\r> ab!c\x1b[K\r\x1b[5C\r\n";
    struct pollfd more = {.fd = terminal->keys, .events = POLLIN};
    char screen[4096] = "";
    size_t used = 0;

    terminal->editor.output = terminal->screen_side;
    expect_line(state, "abc\x1b[D!\r", "ab!c");
    /* A pseudo-terminal hands over what was written a little later, in parts. */
    while (used < strlen(expected) && poll(&more, 1, 5000) == 1) {
        ssize_t got = read(terminal->keys, &screen[used], sizeof(screen) - 1 - used);
        assert_true(got > 0);
        used += (size_t)got;
    }
    assert_string_equal(screen, expected);
}

static void long_lines_scroll_and_stop(void **state)
{
    struct terminal *terminal = *state;
    static char keys[EDITOR_LINE_BYTES + 64];

    memset(keys, 'k', EDITOR_LINE_BYTES + 20);
    strcpy(&keys[EDITOR_LINE_BYTES + 20], "\001a\r");
    assert_int_equal(type(terminal, keys), EDITOR_LINE);
    assert_int_equal(strlen(terminal->editor.line), EDITOR_LINE_BYTES - 1);
    assert_int_equal(terminal->editor.line[0], 'k');
}

static void what_was_typed_ahead_comes_first(void **state)
{
    struct terminal *terminal = *state;
    char many[EDITOR_AHEAD_BYTES * 2];

    editor_type_ahead(&terminal->editor, "ab", 2);
    expect_line(state, "c\r", "abc");
    editor_type_ahead(&terminal->editor, "x\ry", 3);
    expect_line(state, "", "x");
    expect_line(state, "z\r", "yz");
    memset(many, 'm', sizeof(many));
    editor_type_ahead(&terminal->editor, many, sizeof(many));
    assert_int_equal(terminal->editor.ahead_end, EDITOR_AHEAD_BYTES);
}

static void without_a_terminal_lines_are_read_as_they_come(void **state)
{
    struct editor editor;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one\n\ntail", 9), 9);
    close(ends[1]);
    editor_init(&editor, ends[0], ends[0]);
    assert_int_equal(editor_read(&editor, "> "), EDITOR_LINE);
    assert_string_equal(editor.line, "one");
    assert_int_equal(editor_read(&editor, "> "), EDITOR_LINE);
    assert_string_equal(editor.line, "");
    assert_int_equal(editor_read(&editor, "> "), EDITOR_LINE);
    assert_string_equal(editor.line, "tail");
    assert_int_equal(editor_read(&editor, "> "), EDITOR_END);
    close(ends[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(cursor_keys_move_and_text_is_inserted),
        TEST(characters_and_words_are_erased),
        TEST(history_is_walked_and_the_draft_kept),
        TEST(tab_completes_as_far_as_it_is_clear),
        TEST(control_keys_end_the_line),
        TEST(keys_without_meaning_change_nothing),
        TEST(the_screen_shows_the_line),
        TEST(long_lines_scroll_and_stop),
        TEST(what_was_typed_ahead_comes_first),
        TEST(without_a_terminal_lines_are_read_as_they_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

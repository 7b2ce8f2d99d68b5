// SPDX-License-Identifier: BSD-2-Clause
/* Each key changes the line, then the whole visible part is drawn again. */
#include "editor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80
#define ESCAPE          27
#define CONTROL(letter) ((letter) & 31)

enum key {
    KEY_END_OF_INPUT = -1,
    KEY_UP = 256,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_NONE, /* an escape sequence of no meaning here */
};

void editor_init(struct editor *editor, int input, int output)
{
    memset(editor, 0, sizeof(*editor));
    editor->input = input;
    editor->output = output;
}

void editor_type_ahead(struct editor *editor, const char *bytes, size_t count)
{
    if (editor->ahead_start == editor->ahead_end)
        editor->ahead_start = editor->ahead_end = 0;
    for (size_t i = 0; i < count && editor->ahead_end < sizeof(editor->ahead); i++)
        editor->ahead[editor->ahead_end++] = bytes[i];
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == 0;
}

void editor_remember(struct editor *editor, const char *line)
{
    char *copy;

    if (is_blank(line) || (editor->history_count > 0 &&
                           strcmp(editor->history[editor->history_count - 1], line) == 0))
        return;
    copy = strdup(line);
    if (copy == NULL)
        return; /* no memory: this line is forgotten */
    if (editor->history_count == EDITOR_HISTORY) {
        free(editor->history[0]);
        memmove(&editor->history[0], &editor->history[1],
                (EDITOR_HISTORY - 1) * sizeof(editor->history[0]));
        editor->history_count--;
    }
    editor->history[editor->history_count++] = copy;
}

/* --- the terminal --- */

static void put(const struct editor *editor, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t done = write(editor->output, bytes, count);
        if (done <= 0)
            return; /* a terminal that is gone will end the input too */
        bytes += done;
        count -= (size_t)done;
    }
}

static void put_text(const struct editor *editor, const char *text)
{
    put(editor, text, strlen(text));
}

static bool raw_begin(const struct editor *editor, struct termios *saved)
{
    struct termios raw;

    if (tcgetattr(editor->input, saved) != 0)
        return false;
    raw = *saved;
    raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON | INLCR | IGNCR);
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(editor->input, TCSANOW, &raw) == 0;
}

static int read_byte(struct editor *editor)
{
    unsigned char byte;

    if (editor->ahead_start < editor->ahead_end)
        return (unsigned char)editor->ahead[editor->ahead_start++];
    return read(editor->input, &byte, 1) == 1 ? byte : KEY_END_OF_INPUT;
}

/* The byte that follows an Escape at once; a lone Escape key has none. */
static int read_escape_byte(struct editor *editor)
{
    struct termios modes;
    int byte;

    if (editor->ahead_start < editor->ahead_end || tcgetattr(editor->input, &modes) != 0)
        return read_byte(editor);
    modes.c_cc[VMIN] = 0;
    modes.c_cc[VTIME] = 1;
    tcsetattr(editor->input, TCSANOW, &modes);
    byte = read_byte(editor);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    tcsetattr(editor->input, TCSANOW, &modes);
    return byte;
}

static enum key key_of_letter(int letter)
{
    static const struct {
        char letter;
        enum key key;
    } letters[] = {{'A', KEY_UP},   {'B', KEY_DOWN}, {'C', KEY_RIGHT},
                   {'D', KEY_LEFT}, {'H', KEY_HOME}, {'F', KEY_END}};

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (letters[i].letter == letter)
            return letters[i].key;
    }
    return KEY_NONE;
}

static enum key key_of_number(int number)
{
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 3:
        return KEY_DELETE;
    case 4:
    case 8:
        return KEY_END;
    default:
        return KEY_NONE;
    }
}

/* ESC [ letter, ESC O letter, ESC [ number ~; parameters after `;` are passed over. */
static int read_sequence(struct editor *editor)
{
    int byte = read_escape_byte(editor), number = 0;

    if (byte != '[' && byte != 'O')
        return KEY_NONE;
    byte = read_escape_byte(editor);
    while (byte >= '0' && byte <= '9') {
        number = number < 100 ? number * 10 + (byte - '0') : number;
        byte = read_escape_byte(editor);
    }
    while (byte == ';' || (byte >= '0' && byte <= '9'))
        byte = read_escape_byte(editor);
    return byte == '~' ? key_of_number(number) : key_of_letter(byte);
}

static int read_key(struct editor *editor)
{
    int byte = read_byte(editor);

    return byte == ESCAPE ? read_sequence(editor) : byte;
}

/* --- drawing --- */

static void draw(const struct editor *editor)
{
    size_t prompt = strlen(editor->prompt);
    size_t room = editor->columns > prompt + 2 ? editor->columns - prompt - 1 : 1;
    size_t start = editor->cursor >= room ? editor->cursor - room + 1 : 0;
    size_t shown = editor->length - start < room ? editor->length - start : room;
    char move[32];

    put_text(editor, "\r");
    put_text(editor, editor->prompt);
    put(editor, &editor->line[start], shown);
    snprintf(move, sizeof(move), "\x1b[K\r\x1b[%zuC", prompt + editor->cursor - start);
    put_text(editor, move);
}

static void set_line(struct editor *editor, const char *text)
{
    editor->length = strlen(text);
    memcpy(editor->line, text, editor->length + 1);
    editor->cursor = editor->length;
}

/* --- what keys do --- */

static void insert(struct editor *editor, const char *text, size_t count)
{
    if (editor->length + count >= EDITOR_LINE_BYTES) {
        put_text(editor, "\a");
        return;
    }
    memmove(&editor->line[editor->cursor + count], &editor->line[editor->cursor],
            editor->length - editor->cursor + 1);
    memcpy(&editor->line[editor->cursor], text, count);
    editor->length += count;
    editor->cursor += count;
}

static void erase(struct editor *editor, size_t from, size_t to)
{
    memmove(&editor->line[from], &editor->line[to], editor->length - to + 1);
    editor->length -= to - from;
    editor->cursor = from;
}

static size_t word_left(const struct editor *editor)
{
    size_t at = editor->cursor;

    while (at > 0 && editor->line[at - 1] == ' ')
        at--;
    while (at > 0 && editor->line[at - 1] != ' ')
        at--;
    return at;
}

static void show_history(struct editor *editor, int step)
{
    unsigned at = editor->history_at;

    if ((step < 0 && at == 0) || (step > 0 && at == editor->history_count))
        return;
    if (at == editor->history_count)
        memcpy(editor->draft, editor->line, sizeof(editor->draft));
    editor->history_at = step < 0 ? at - 1 : at + 1;
    set_line(editor, editor->history_at == editor->history_count
                         ? editor->draft
                         : editor->history[editor->history_at]);
}

static size_t common_length(const char **candidates, unsigned count)
{
    size_t length = strlen(candidates[0]);

    for (unsigned i = 1; i < count; i++) {
        size_t same = 0;
        while (same < length && candidates[i][same] == candidates[0][same])
            same++;
        length = same;
    }
    return length;
}

static void list_candidates(const struct editor *editor, const char **candidates, unsigned count)
{
    size_t width = 0, used = 0;

    for (unsigned i = 0; i < count; i++)
        width = strlen(candidates[i]) + 2 > width ? strlen(candidates[i]) + 2 : width;
    put_text(editor, "\r\n");
    for (unsigned i = 0; i < count; i++) {
        if (used > 0 && used + width > editor->columns) {
            put_text(editor, "\r\n");
            used = 0;
        }
        put_text(editor, candidates[i]);
        for (size_t pad = strlen(candidates[i]); pad < width; pad++)
            put_text(editor, " ");
        used += width;
    }
    put_text(editor, "\r\n");
}

static void complete(struct editor *editor)
{
    const char *candidates[EDITOR_CANDIDATES];
    size_t start = editor->cursor, word, common;
    unsigned count;

    while (start > 0 && strchr(" ;&", editor->line[start - 1]) == NULL)
        start--;
    word = editor->cursor - start;
    count = editor->complete == NULL
                ? 0
                : editor->complete(editor->complete_context, editor->line, start, candidates,
                                   EDITOR_CANDIDATES);
    if (count == 0) {
        put_text(editor, "\a");
        return;
    }
    common = common_length(candidates, count);
    if (common > word)
        insert(editor, candidates[0] + word, common - word);
    else if (count > 1)
        list_candidates(editor, candidates, count);
    if (count == 1 && candidates[0][common - 1] != '/')
        insert(editor, " ", 1);
}

/* Keys that move or change; anything printable is inserted. */
static void edit(struct editor *editor, int key)
{
    char byte = (char)key;

    switch (key) {
    case KEY_LEFT:
    case CONTROL('B'):
        editor->cursor -= editor->cursor > 0;
        break;
    case KEY_RIGHT:
    case CONTROL('F'):
        editor->cursor += editor->cursor < editor->length;
        break;
    case KEY_HOME:
    case CONTROL('A'):
        editor->cursor = 0;
        break;
    case KEY_END:
    case CONTROL('E'):
        editor->cursor = editor->length;
        break;
    case KEY_UP:
    case CONTROL('P'):
        show_history(editor, -1);
        break;
    case KEY_DOWN:
    case CONTROL('N'):
        show_history(editor, 1);
        break;
    case 127:
    case CONTROL('H'):
        if (editor->cursor > 0)
            erase(editor, editor->cursor - 1, editor->cursor);
        break;
    case KEY_DELETE:
    case CONTROL('D'):
        if (editor->cursor < editor->length)
            erase(editor, editor->cursor, editor->cursor + 1);
        break;
    case CONTROL('K'):
        erase(editor, editor->cursor, editor->length);
        break;
    case CONTROL('U'):
        erase(editor, 0, editor->cursor);
        break;
    case CONTROL('W'):
        erase(editor, word_left(editor), editor->cursor);
        break;
    case CONTROL('L'):
        put_text(editor, "\x1b[H\x1b[2J");
        break;
    case '\t':
        complete(editor);
        break;
    default:
        if (key >= ' ' && key < 256)
            insert(editor, &byte, 1);
    }
}

/* A byte added at the end of a line that fits needs no drawing but itself. */
static bool is_plain_append(const struct editor *editor, int key)
{
    return key >= ' ' && key < 127 && editor->cursor == editor->length &&
           strlen(editor->prompt) + editor->length + 2 < editor->columns;
}

static enum editor_result edit_line(struct editor *editor)
{
    for (;;) {
        int key = read_key(editor);
        char byte = (char)key;

        if (key == KEY_END_OF_INPUT ||
            (key == CONTROL('D') && editor->length == 0)) {
            put_text(editor, "\r\n");
            return EDITOR_END;
        }
        if (key == CONTROL('C')) {
            put_text(editor, "^C\r\n");
            return EDITOR_INTERRUPTED;
        }
        if (key == '\r' || key == '\n') {
            put_text(editor, "\r\n");
            return EDITOR_LINE;
        }
        if (is_plain_append(editor, key)) {
            insert(editor, &byte, 1);
            put(editor, &byte, 1);
            continue;
        }
        edit(editor, key);
        draw(editor);
    }
}

static enum editor_result read_plain(struct editor *editor)
{
    int byte;

    while ((byte = read_byte(editor)) != '\n') {
        if (byte == KEY_END_OF_INPUT)
            return editor->length > 0 ? EDITOR_LINE : EDITOR_END;
        if (editor->length < EDITOR_LINE_BYTES - 1)
            editor->line[editor->length++] = (char)byte;
        editor->line[editor->length] = 0;
    }
    return EDITOR_LINE;
}

static size_t terminal_columns(int terminal)
{
    struct winsize size;

    if (ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return DEFAULT_COLUMNS;
    return size.ws_col;
}

enum editor_result editor_read(struct editor *editor, const char *prompt)
{
    struct termios saved;
    enum editor_result result;

    editor->prompt = prompt;
    editor->length = editor->cursor = 0;
    editor->line[0] = 0;
    editor->history_at = editor->history_count;
    if (!isatty(editor->input))
        return read_plain(editor);
    if (!raw_begin(editor, &saved))
        return EDITOR_END;
    editor->columns = terminal_columns(editor->output);
    put_text(editor, "\r");
    put_text(editor, prompt);
    result = edit_line(editor);
    tcsetattr(editor->input, TCSANOW, &saved);
    return result;
}

// SPDX-License-Identifier: BSD-2-Clause
/* The table of commands, running a line, help, completion. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shell.h"
#include "words.h"

struct command {
    const char *name;
    command_function run;
    bool has_json;
    const char *arguments, *help;
};

static const struct command commands[] = {
#define COMMAND_ROW(name, function, json, arguments, help) {#name, function, json, arguments, help},
    COMMAND_LIST(COMMAND_ROW)
#undef COMMAND_ROW
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

bool is_command(const char *name)
{
    return find(name) != NULL;
}

int usage(const char *command)
{
    const struct command *found = find(command);

    fprintf(stderr, "use: %s %s%s\n", found->name, found->has_json ? "[--json] " : "",
            found->arguments);
    return STATUS_USAGE;
}

bool parse_number(const char *command, const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 0);

    if (text[0] < '0' || text[0] > '9' || *end != 0 || value > most) {
        fprintf(stderr, "%s: `%s` is no number from 0 to %llu\n", command, text,
                (unsigned long long)most);
        return false;
    }
    *number = value;
    return true;
}

int command_help(struct shell *shell, int argc, char **argv)
{
    const struct command *one = argc > 1 ? find(argv[1]) : NULL;

    (void)shell;
    if (argc > 2)
        return usage("help");
    if (argc == 2 && one == NULL) {
        fprintf(stderr, "help: there is no command `%s`; plain `help` lists all\n", argv[1]);
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (one == NULL)
            printf("  %-9s %s\n", commands[i].name, commands[i].help);
    }
    if (one == NULL) {
        puts("A program's name runs it: `ls bin` lists them. `;` goes between commands, & after\n"
             "one runs it beside the shell, $? is the last status. `help COMMAND` says more;\n"
             "commands that show things take --json.");
        return 0;
    }
    printf("%s %s%s\n    %s\n", one->name, one->has_json ? "[--json] " : "", one->arguments,
           one->help);
    return 0;
}

/* Takes --json out of a command's words. */
static int take_json(const struct command *command, int argc, char **argv, bool *wants_json)
{
    int kept = 1;

    *wants_json = false;
    for (int i = 1; i < argc; i++) {
        if (command->has_json && strcmp(argv[i], "--json") == 0)
            *wants_json = true;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

static int run_words(struct shell *shell, struct words *words)
{
    const struct command *command = find(words->words[0]);
    struct launch program = {.argc = words->count, .argv = words->words,
                             .is_background = words->is_background};

    if (command == NULL)
        return launch(shell, &program);
    if (words->is_background && command->run != command_run) {
        fprintf(stderr, "%s: only programs run beside the shell\n", command->name);
        return STATUS_USAGE;
    }
    shell->wants_background = words->is_background;
    return command->run(shell,
                        take_json(command, words->count, words->words, &shell->wants_json),
                        words->words);
}

int shell_run_line(struct shell *shell, const char *line)
{
    static struct words words;

    while (*line != 0 && !shell->is_leaving) {
        const char *problem = words_next(&line, shell->last_status, &words);
        if (problem != NULL) {
            fprintf(stderr, "shell: %s\n", problem);
            return shell->last_status = STATUS_USAGE;
        }
        if (words.count > 0)
            shell->last_status = run_words(shell, &words);
        fflush(stdout);
    }
    return shell->last_status;
}

/* --- completion --- */

struct candidates {
    const char **list;
    unsigned count, room;
    const char *prefix;
    size_t prefix_length;
};

/* Strings of the last completion, freed by the next. */
static char *kept[EDITOR_CANDIDATES];
static unsigned kept_count;

static void offer(struct candidates *candidates, const char *folder, const char *name,
                  const char *end)
{
    char text[CAD_ARCHIVE_NAME_BYTES];

    snprintf(text, sizeof(text), "%s%s%s", folder, name, end);
    if (strncmp(text, candidates->prefix, candidates->prefix_length) != 0 ||
        candidates->count == candidates->room || kept_count == EDITOR_CANDIDATES)
        return;
    kept[kept_count] = strdup(text);
    if (kept[kept_count] != NULL)
        candidates->list[candidates->count++] = kept[kept_count++];
}

static void offer_folder(struct candidates *candidates, const char *path, const char *shown)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        offer(candidates, shown, entry->d_name, entry->d_type == DT_DIR ? "/" : "");
    closedir(folder);
}

static void offer_paths(struct candidates *candidates)
{
    char shown[CAD_ARCHIVE_NAME_BYTES];
    const char *slash = strrchr(candidates->prefix, '/');
    size_t length = slash != NULL ? (size_t)(slash - candidates->prefix) + 1 : 0;

    snprintf(shown, sizeof(shown), "%.*s", (int)length, candidates->prefix);
    offer_folder(candidates, length > 0 ? shown : "/", shown);
}

/* The first word of the command that `word_start` is in. */
static size_t command_start(const char *line, size_t word_start)
{
    size_t start = word_start;

    while (start > 0 && line[start - 1] != ';' && line[start - 1] != '&')
        start--;
    while (start < word_start && line[start] == ' ')
        start++;
    return start;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

unsigned shell_complete(void *context, const char *line, size_t word_start,
                        const char **candidates, unsigned room)
{
    const struct editor *editor = &((struct shell *)context)->editor;
    char prefix[EDITOR_LINE_BYTES];
    size_t start = command_start(line, word_start);
    bool is_first = start == word_start, is_run = strncmp(&line[start], "run ", 4) == 0;
    struct candidates found = {.list = candidates, .room = room, .prefix = prefix,
                               .prefix_length = editor->cursor - word_start};

    while (kept_count > 0)
        free(kept[--kept_count]);
    memcpy(prefix, &line[word_start], found.prefix_length);
    prefix[found.prefix_length] = 0;
    for (size_t i = 0; is_first && i < COMMAND_COUNT; i++)
        offer(&found, "", commands[i].name, "");
    if (is_first || is_run)
        offer_folder(&found, "/bin", "");
    else
        offer_paths(&found);
    qsort(candidates, found.count, sizeof(*candidates), compare_texts);
    return found.count;
}

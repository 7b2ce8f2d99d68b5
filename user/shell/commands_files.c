// SPDX-License-Identifier: BSD-2-Clause
/* Commands about files and words: ls, cat, echo. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shell.h"

#define PATH_ROOM 512

static void list_entry(struct table *table, const char *folder, const char *name)
{
    char path[PATH_ROOM], shown[PATH_ROOM];
    struct stat facts;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (stat(path, &facts) != 0) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        return;
    }
    snprintf(shown, sizeof(shown), "%s%s", name, S_ISDIR(facts.st_mode) ? "/" : "");
    table_row(table, (uint64_t)facts.st_size, shown);
}

static int list_folder(const char *path, struct table *table)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    struct stat facts;

    if (folder == NULL && errno == ENOTDIR && stat(path, &facts) == 0) {
        table_row(table, (uint64_t)facts.st_size, path);
        return 0;
    }
    if (folder == NULL) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        return STATUS_FAILED;
    }
    while ((entry = readdir(folder)) != NULL)
        list_entry(table, path, entry->d_name);
    closedir(folder);
    return 0;
}

int command_ls(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {{"SIZE", "size_bytes", COLUMN_BYTES},
                                            {"NAME", "name", COLUMN_TEXT}};
    struct table table;
    int result = 0;

    table_begin(&table, columns, 2);
    if (argc == 1)
        result = list_folder("/", &table);
    for (int i = 1; i < argc; i++)
        result = list_folder(argv[i], &table) != 0 ? STATUS_FAILED : result;
    table_end(&table, shell->wants_json);
    return result;
}

static int show_file(const char *path)
{
    char bytes[4096];
    ssize_t got = -1;
    int file = open(path, O_RDONLY);

    while (file >= 0 && (got = read(file, bytes, sizeof(bytes))) > 0)
        fwrite(bytes, 1, (size_t)got, stdout);
    if (file < 0 || got < 0)
        fprintf(stderr, "cat: %s: %s\n", path, strerror(errno));
    if (file >= 0)
        close(file);
    return got < 0 ? STATUS_FAILED : 0;
}

int command_cat(struct shell *shell, int argc, char **argv)
{
    int result = 0;

    (void)shell;
    if (argc < 2)
        return usage("cat");
    for (int i = 1; i < argc; i++)
        result = show_file(argv[i]) != 0 ? STATUS_FAILED : result;
    return result;
}

int command_echo(struct shell *shell, int argc, char **argv)
{
    (void)shell;
    for (int i = 1; i < argc; i++)
        printf("%s%s", i > 1 ? " " : "", argv[i]);
    putchar('\n');
    return 0;
}

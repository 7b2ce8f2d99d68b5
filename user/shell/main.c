// SPDX-License-Identifier: BSD-2-Clause
/*
 * Start of the shell.  Arguments (init passes on the kernel's `shell.` options):
 *   cmd=COMMANDS   run these, then end with the last status; no prompt
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cadastre/capset.h"
#include "shell.h"

#define PROMPT "cadastre> "

/* Who is granted what; without it programs get the usual four roles. */
static void read_manifest(struct shell *shell)
{
    struct cad_manifest_error error;
    struct cad_archive archive;
    struct cad_archive_file file;

    if (cad_archive_open(&archive) != CAD_OK ||
        cad_archive_search(archive.data, archive.bytes, CAD_MANIFEST_PATH, &file) !=
            CAD_ARCHIVE_FILE) {
        fprintf(stderr, "shell: no %s; programs get console, clock, entropy, boot_archive\n",
                CAD_MANIFEST_PATH);
        return;
    }
    shell->has_manifest =
        cad_manifest_parse((const char *)archive.data + file.offset_bytes, file.size_bytes,
                           &shell->manifest, &error);
    if (!shell->has_manifest)
        fprintf(stderr, "shell: %s, line %u: %s\n", CAD_MANIFEST_PATH, error.line, error.reason);
}

static void interact(struct shell *shell)
{
    puts("Cadastre. `help` lists the commands, `ls bin` the programs; `halt` powers off.");
    while (!shell->is_leaving) {
        jobs_report(shell);
        fflush(stdout);
        switch (editor_read(&shell->editor, PROMPT)) {
        case EDITOR_LINE:
            editor_remember(&shell->editor, shell->editor.line);
            shell_run_line(shell, shell->editor.line);
            break;
        case EDITOR_INTERRUPTED:
            shell->last_status = STATUS_INTERRUPTED;
            break;
        case EDITOR_END:
            shell->is_leaving = true;
            break;
        }
    }
}

int main(int argc, char **argv)
{
    static struct shell shell;
    const char *commands = NULL;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "cmd=", 4) == 0)
            commands = argv[i] + 4;
        else
            fprintf(stderr, "shell: there is no option `%s`; cmd=COMMANDS is one\n", argv[i]);
    }
    editor_init(&shell.editor, STDIN_FILENO, STDOUT_FILENO);
    shell.editor.complete = shell_complete;
    shell.editor.complete_context = &shell;
    read_manifest(&shell);
    shell.is_interactive = commands == NULL;
    if (commands != NULL)
        shell_run_line(&shell, commands);
    else
        interact(&shell);
    return shell.last_status <= STATUS_MAX ? shell.last_status : STATUS_MAX;
}

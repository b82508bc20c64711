
/*
 * "torii", the command-line tool: what its commands share.
 */

#ifndef _TORII_TOOL_H_INCLUDED_
#define _TORII_TOOL_H_INCLUDED_


#include <stdio.h>

#include "ingress_folder.h"
#include "ingress_route.h"


#define TORII_EXIT_OK      0
#define TORII_EXIT_FOUND   1       /* an error in what was looked at */
#define TORII_EXIT_USAGE   2


/* Objects read from files and folders, and the table they make. */

typedef struct {
    ingress_options_t       options;
    torii_arena_t          *arena;
    ingress_store_t        *store;
    ingress_folder_t      **folders;
    uint32_t                nfolders;
    ingress_findings_t      files;       /* findings of reading them */
    ingress_findings_t      findings;    /* these and compile's */
    torii_buf_t             bytes;
    ingress_table_t         table;
} torii_source_t;

/* Options are set to those of manifests mode; change them, then read. */
void torii_source_init(torii_source_t *s);
void torii_source_free(torii_source_t *s);

/*
 * Read all paths and compile.  Returns an exit code, having written to stderr
 * if it is not TORII_EXIT_OK.  "-" is standard input.
 */
int torii_source_read(torii_source_t *s, char **paths, int n);

/* options->classes gets one more. */
void torii_source_class(torii_source_t *s, char *name);

/* options->selector; an exit code, as above. */
int torii_source_selector(torii_source_t *s, char *text);


/* Findings about the settings of logins, to s->findings. */
void torii_check_logins(torii_source_t *s);


/* The commands: argv[0] is the command's name. */
int torii_annotations(int argc, char **argv);
int torii_certificates(int argc, char **argv);
int torii_check(int argc, char **argv);
int torii_dns(int argc, char **argv);
int torii_explain(int argc, char **argv);

/* The command's help goes to stdout (0), or a hint to it to stderr (2). */
int torii_usage(const char *command, int code);

/* torii_ask.c: exit codes, and stderr says what is wrong */

/* A file of a torii_state folder, behind what is in text. */
int torii_state_read(const char *state, const char *name, torii_buf_t *text);
/* A wish for the gateway of this folder; prefix: of the file's name. */
int torii_ask(const char *state, const char *prefix, const char *text);

/* Write the buffer and free it; an exit code if stdout is closed or full. */
int torii_print(torii_buf_t *out);


#endif /* _TORII_TOOL_H_INCLUDED_ */

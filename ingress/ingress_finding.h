
/*
 * A finding: what was ignored, refused or doubtful in the objects, in words
 * that tell the author what is wrong, where, and what to do.
 */

#ifndef _INGRESS_FINDING_H_INCLUDED_
#define _INGRESS_FINDING_H_INCLUDED_


#include "torii.h"


typedef enum {
    INGRESS_INFO = 0,
    INGRESS_WARNING,           /* served, but not as the author may think */
    INGRESS_ERROR              /* something is not served, or is denied */
} ingress_severity_e;

typedef struct ingress_finding_s  ingress_finding_t;

struct ingress_finding_s {
    ingress_severity_e   severity;
    const char          *reason;    /* stable CamelCase word, as in Events */
    torii_str_t          kind;      /* "Ingress", or "File" */
    torii_str_t          namespace;
    torii_str_t          name;      /* of the object, or the file's path */
    torii_str_t          file;      /* may be empty */
    uint32_t             line;      /* 0 unknown */
    uint32_t             column;
    torii_str_t          field;     /* "spec.rules[0].host", annotation name */
    torii_str_t          value;     /* what was found, cut to 128 bytes; never
                                       of a Secret's data */
    torii_str_t          message;   /* "what is wrong; what to do" */
    ingress_finding_t   *next;
};


/* A list of findings under construction, in one arena. */

typedef struct {
    torii_arena_t       *arena;
    ingress_finding_t   *first;
    ingress_finding_t  **last;
    uint32_t             n;
    uint32_t             max;       /* beyond: counted in n, not kept */
    ingress_finding_t    spare;     /* handed out beyond max */
} ingress_findings_t;

#define INGRESS_FINDINGS_MAX  1000  /* set by init; the caller may change it */

void ingress_findings_init(ingress_findings_t *list, torii_arena_t *a);

/*
 * Adds one and returns it; the caller fills in what it knows of kind,
 * namespace, name, file and line.  The format makes the message.  Strings are
 * copied into the arena, value with control bytes replaced and cut.
 */
ingress_finding_t *ingress_finding_add(ingress_findings_t *list,
    ingress_severity_e severity, const char *reason, torii_str_t field,
    torii_str_t value, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* A copy of f at the list's end. */
void ingress_finding_copy(ingress_findings_t *list,
    const ingress_finding_t *f);

/* "error", "warning", "info" */
const char *ingress_severity_name(ingress_severity_e severity);

/* One JSON object: severity, reason, object{}, file, line, field, …. */
void ingress_finding_json(torii_buf_t *out, const ingress_finding_t *f);

/* "FILE:LINE: error: Ingress NS/NAME: FIELD: MESSAGE [REASON]\n" */
void ingress_finding_text(torii_buf_t *out, const ingress_finding_t *f);


#endif /* _INGRESS_FINDING_H_INCLUDED_ */


/*
 * What the decoders of the kinds share: readers of typed fields that make a
 * finding of what is wrong, and the rules for names.  Private to
 * ingress_object*.c; everybody else wants ingress_object.h.
 */

#ifndef _INGRESS_DECODE_H_INCLUDED_
#define _INGRESS_DECODE_H_INCLUDED_


#include "ingress_object.h"


#define INGRESS_NAME_MAX        253
#define INGRESS_LABEL_MAX       63
#define INGRESS_PATH_MAX        4096

/* of one text: all annotations of an object, or a ConfigMap, in Kubernetes */
#define INGRESS_ANNOTATION_MAX  (256 * 1024)
#define INGRESS_CONFIGMAP_MAX   (1024 * 1024)

#define INGRESS_NOT_LISTED      UINT32_MAX


/* A host to be served may begin with "*."; one to ask may be an address. */

typedef enum {
    INGRESS_HOST_RULE = 0,
    INGRESS_HOST_TARGET
} ingress_host_e;


/* One object under construction. */

typedef struct {
    ingress_object_t       *object;
    torii_arena_t          *arena;      /* the object's */
    ingress_findings_t      findings;
    unsigned                silent:1;   /* what is found may be a secret */
} ingress_decode_t;

/*
 * Where a field stands, as a chain on the stack; it becomes text, such as
 * "spec.rules[0].http", only when there is something to say about it.
 */

typedef struct ingress_where_s  ingress_where_t;

struct ingress_where_s {
    const ingress_where_t  *up;
    const char             *name;
    uint32_t                index;      /* INGRESS_NOT_LISTED: no list */
};


/*
 * A finding about up.key (key may be NULL: about up itself).  node, if not
 * NULL, gives the line and, unless that may be a secret, the value.
 */
void ingress_decode_finding(ingress_decode_t *d, ingress_severity_e severity,
    const char *reason, const ingress_where_t *up, const char *key,
    const torii_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));

/* An item of a list that must be a map; else a finding. */
int ingress_decode_is_map(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *node);

/*
 * The value of a key if it is a map or a list.  NULL if it is missing or null,
 * and also, after a finding, if it is anything else.
 */
const torii_node_t *ingress_decode_map(ingress_decode_t *d,
    const ingress_where_t *up, const torii_node_t *map, const char *key);
const torii_node_t *ingress_decode_list(ingress_decode_t *d,
    const ingress_where_t *up, const torii_node_t *map, const char *key);

/* The same; what stands there instead may be a secret. */
const torii_node_t *ingress_decode_silent_map(ingress_decode_t *d,
    const ingress_where_t *up, const torii_node_t *map, const char *key);

/*
 * A string, copied.  TORII_DECLINED: missing or null; TORII_ERROR: not usable,
 * there is a finding.  A number or a boolean is taken as written, with a
 * warning.
 */
int ingress_decode_string(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, torii_str_t *value);

/* The same; a name of an object of at most max bytes.  "" is missing. */
int ingress_decode_name(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, size_t max, torii_str_t *value);

/* A host name, copied in lower case. */
int ingress_decode_host(ingress_decode_t *d, const ingress_where_t *up,
    const char *key, const torii_node_t *node, ingress_host_e use,
    torii_str_t *value);

/* A port number.  Same codes. */
int ingress_decode_port(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, uint16_t *port);

/* A number or a name; a number in quotes is taken, with a warning. */
int ingress_decode_port_or_name(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, ingress_port_t *port);

/* "protocol: TCP"; 1 also when it is missing. */
int ingress_decode_tcp(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map);

/* 0 or 1; unset if missing or no boolean. */
unsigned ingress_decode_bool(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, unsigned unset);

/* A warning for each key of map that is not in known (ends with NULL). */
void ingress_decode_unknown(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *const *known);

/*
 * All "name: text" pairs of a map (which may be NULL); a text may have several
 * lines.  What is no text is taken as written, or, if that cannot be, replaced
 * by "(a list)", "(too long)" and the like: a value that no setting accepts,
 * so that one that protects something is not lost.  reason: of the finding
 * about a wrong type.
 */
void ingress_decode_pairs(ingress_decode_t *d, const ingress_where_t *up,
    const char *reason, size_t max, const torii_node_t *map,
    ingress_pairs_t *pairs);

/*
 * A text that is one of a table's (ends with NULL); *choice is its index, and
 * stays what it is if the text is missing or another one.  Same codes.
 */
int ingress_decode_choice(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, const char *const *table,
    uint32_t *choice);

/* A whole number from min to max; Go's duration of min seconds and more. */
int ingress_decode_number(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, uint32_t min, uint32_t max,
    uint32_t *value);
int ingress_decode_duration(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, int64_t min, int64_t *seconds);

/*
 * The strings of a list; read() tells what they have to be, NULL: any text.
 * TORII_ERROR: one of them, or all, had to be left out.
 */
typedef int (*ingress_decode_item_pt)(ingress_decode_t *d,
    const ingress_where_t *up, const torii_node_t *node, torii_str_t *value);

int ingress_decode_strings(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, ingress_decode_item_pt read,
    ingress_strings_t *list);

/* For it: names of hosts and of zones, addresses. */
int ingress_item_host(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value);
int ingress_item_zone(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value);
int ingress_item_address(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *node, torii_str_t *value);

/*
 * "{name: NAME, key: KEY}"; unset: the key when none is given, NULL: there must
 * be one.
 */
int ingress_decode_secret(ingress_decode_t *d, const ingress_where_t *up,
    const torii_node_t *map, const char *key, const char *unset,
    ingress_secret_ref_t *ref);

/* Well-formed UTF-8, of control bytes only tabs and ends of lines. */
int ingress_is_text(torii_str_t s);

/* torii_node_what(), but silent about what may be a secret. */
const char *ingress_decode_what(const ingress_decode_t *d,
    const torii_node_t *node, char buf[64]);


/*
 * NULL if s (NUL after it) is of the form, in lower case: a DNS-1123 name of
 * at most max bytes, a host, the name of a port.  Else what is wrong.
 */
const char *ingress_name_check(torii_str_t s, size_t max);
const char *ingress_host_check(torii_str_t s, ingress_host_e use);
const char *ingress_port_name_check(torii_str_t s);

/* IPv4 or IPv6 without brackets or a zone; a NUL after it. */
int ingress_is_address(torii_str_t s);

/* "2026-11-22T15:07:42Z", fractions and offsets too. */
int ingress_time_parse(torii_str_t s, int64_t *t);


/* The kinds. */

void ingress_object_ingress(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_class(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_service(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_slice(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_endpoints(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_secret(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_configmap(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_issuer(ingress_decode_t *d, const torii_node_t *doc);
void ingress_object_certificate(ingress_decode_t *d, const torii_node_t *doc);

/* spec.acme.solvers, into the issuer; spec.acme.solvers[].dns01. */
void ingress_issuer_solvers(ingress_decode_t *d, const ingress_where_t *acme,
    const torii_node_t *map);
void ingress_solver_dns(ingress_decode_t *d, const ingress_where_t *at,
    const torii_node_t *map, ingress_solver_t *solver);

/* Addresses of a Service's load balancer; the state of an Ingress (free()). */
void ingress_service_balancer(ingress_decode_t *d, const torii_node_t *doc);
ingress_state_t *ingress_state_create(const torii_node_t *doc);

/* Of all that was decoded, but not of the place in a file, or the state. */
uint64_t ingress_object_hash(const ingress_object_t *o);


#endif /* _INGRESS_DECODE_H_INCLUDED_ */

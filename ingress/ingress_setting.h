
/*
 * How annotations and ConfigMap keys become fields: rows of a table (name,
 * form, what a bad value does), the state of one run over an object, and the
 * setters that rows name.  Shared by the files that hold the tables; others
 * want ingress_annotation.h.
 */

#ifndef _INGRESS_SETTING_H_INCLUDED_
#define _INGRESS_SETTING_H_INCLUDED_


#include "ingress_annotation.h"


/* Kubernetes allows 256 KB of annotations, and 1 MB of a ConfigMap. */
#define INGRESS_VALUE_MAX      (1024 * 1024)

#define INGRESS_SECONDS_MAX    2147483         /* in ms below 2^31 */

#define INGRESS_SETTING_CONFIG   0x01  /* a ConfigMap key gives the default */
#define INGRESS_SETTING_LINES    0x02  /* line breaks count as blanks */
#define INGRESS_SETTING_GATE     0x04  /* an empty value is a bad one */
#define INGRESS_SETTING_LOUD     0x08  /* reported with its default, too */
#define INGRESS_SETTING_SNIPPET  0x10
#define INGRESS_SETTING_ALIAS    0x20  /* data: the name of today */
#define INGRESS_SETTING_WHOLE    0x40  /* the Ingress is not served without */
#define INGRESS_SETTING_LOGIN    0x80  /* the default is no field's value */


typedef enum {
    INGRESS_ENFORCED = 0,
    INGRESS_LATER,                     /* known, not by this version */
    INGRESS_MACHINE,                   /* said in nginx.conf instead */
    INGRESS_NEVER
} ingress_state_e;

typedef enum {
    INGRESS_SCOPE_ROUTE = 0,
    INGRESS_SCOPE_HOST,
    INGRESS_SCOPE_UPSTREAM,
    INGRESS_SCOPE_GATEWAY
} ingress_scope_e;

typedef enum {
    INGRESS_BAD_DEFAULT = 0,           /* the default stays in force */
    INGRESS_BAD_DENY,                  /* policy.deny */
    INGRESS_BAD_CORS,                  /* no CORS at all */
    INGRESS_BAD_TRUST                  /* no peer is trusted */
} ingress_bad_e;


typedef struct ingress_setting_s  ingress_setting_t;
typedef struct ingress_setter_s  ingress_setter_t;

/*
 * Writes value (trimmed, not empty, no control bytes) to the field at
 * row->offset.  TORII_ERROR: nothing was written, s->why says what is wrong.
 */
typedef int (*ingress_set_pt)(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);

struct ingress_setting_s {
    const char              *name;
    uint8_t                  state;    /* ingress_state_e */
    uint8_t                  scope;    /* ingress_scope_e */
    uint8_t                  bad;      /* ingress_bad_e */
    uint8_t                  flags;
    ingress_set_pt           set;      /* NULL: only reported */
    uint16_t                 offset;
    uint64_t                 min;
    uint64_t                 max;
    const void              *data;     /* of the setter's own kind */
    const char              *value;    /* the default, "" none */
    const char              *help;
};


/* One run over an object. */

struct ingress_setter_s {
    void                    *base;     /* what offsets count from */
    ingress_policy_t        *policy;
    ingress_login_setting_t *login;
    torii_buf_t             *pool;
    const ingress_config_t  *config;   /* NULL in a run over a ConfigMap */
    const ingress_object_t  *object;   /* NULL: built-in defaults */
    ingress_findings_t      *findings; /* NULL: they are not wanted */

    torii_str_t              field;    /* name as in the object */
    torii_str_t              value;
    uint32_t                 line;
    uint32_t                 unknown;  /* names so far */
    char                     why[256];
    char                     about[96];

    /* settings that meet others at the end of the run */
    torii_str_t              permanent;
    torii_str_t              temporal;
    uint16_t                 permanent_code;
    uint16_t                 temporal_code;
    uint8_t                  global_auth;
    uint8_t                  modsecurity;
    uint8_t                  cors_refused;
    uint8_t                  cors_asked;      /* any cors-… seen */
    uint8_t                  has_allow;
    uint8_t                  has_deny_list;
    uint8_t                  satisfy;         /* any */
    uint8_t                  set_cookie;      /* auth-always-set-cookie */
    uint8_t                  share_vars;      /* of no effect */
    uint8_t                  no_keepalive;
};


#define ingress_setter_field(s, row, type)                                    \
    ((type *) (void *) ((unsigned char *) (s)->base + (row)->offset))


/* Words for a field of one byte. */

typedef struct {
    const char              *name;     /* NULL ends the list */
    uint32_t                 value;
} ingress_word_t;

/* Letters and digits are always allowed, these bytes besides. */

typedef struct {
    const char              *chars;
    const char              *what;     /* "a file name" */
} ingress_charset_t;

extern const ingress_word_t  ingress_words_switch[];   /* off, on */


/* ingress_annotation.c */

/* The row of an annotation that a ConfigMap key of the same name defaults. */
const ingress_setting_t *ingress_annotation_config(torii_str_t name);
/* The one whose name is most alike, or NULL. */
const ingress_setting_t *ingress_annotation_config_near(torii_str_t name);
/* Every built-in default, through the setters, into s. */
void ingress_annotation_defaults(ingress_setter_t *s);

/* ingress_config.c */

int ingress_config_known(torii_str_t name);

/* ingress_setting.c */

const ingress_setting_t *ingress_setting_find(const ingress_setting_t *rows,
    uint32_t n, torii_str_t name);
/* The row with the name most alike, or NULL; *distance is how far off. */
const ingress_setting_t *ingress_setting_near(const ingress_setting_t *rows,
    uint32_t n, torii_str_t name, unsigned *distance);

/* Everything that a row wants of a value; TORII_ERROR: it was a bad one. */
int ingress_setting_apply(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);

void ingress_setting_info(const ingress_setting_t *row,
    ingress_setting_info_t *info);

/* Always TORII_ERROR; the text goes on after the quoted value. */
int ingress_setter_why(ingress_setter_t *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void ingress_setter_finding(ingress_setter_t *s, ingress_severity_e severity,
    const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The object's annotation of that name (without the prefix), or NULL. */
const ingress_pair_t *ingress_setter_given(const ingress_setter_t *s,
    const char *name);
ingress_ref_t ingress_setter_str(ingress_setter_t *s, torii_str_t str);

int ingress_set_bool(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_words(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_number(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_seconds(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_size(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_size32(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_text(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_networks(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);

/* ingress_route_setting.c: settings with a form of their own */

int ingress_set_flag(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_prefer(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_rewrite(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_app_root(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_alias(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_host(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_vhost(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_redirect(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_redirect_code(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_reference(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_protocols(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_next_upstream(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_pair(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_location(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);

/* What NGINX demands of buffers that belong together; reports what it mends. */
void ingress_setting_buffers(ingress_setter_t *s);

/* ingress_login_url.c */

int ingress_set_login_url(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_login_signin(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_login_redirect(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_login_key(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);

/* ingress_login_value.c */

int ingress_set_login_method(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_login_headers(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_login_durations(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_login_keep(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_login_type(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_login_satisfy(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_login_flag(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);

/* ingress_login_snippet.c */

int ingress_set_login_snippet(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);

/* ingress_login_list.c */

int ingress_set_login_list(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);
int ingress_set_login_provider(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);

/* ingress_login_rows.c: annotations "torii/..." */

/* That of s->field; 0: it is none of them, and not alike. */
int ingress_login_annotation(ingress_setter_t *s);

/* ingress_login_finish.c: what the settings say together */

void ingress_login_finish(ingress_setter_t *s);
void ingress_login_finish_config(ingress_setter_t *s);

/* ingress_cors.c */

int ingress_set_cors_origins(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
int ingress_set_cors_list(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value);

/* ingress_value.c */

/* A decimal integer with an optional sign, as Go's Atoi() reads it. */
int ingress_parse_number(torii_str_t s, uint64_t min, uint64_t max,
    uint64_t *value, const char **why);
/* Letters, digits and chars only. */
int ingress_parse_chars(torii_str_t s, const char *chars);
/* "http://…", "https://…" or "/…", as it may stand in a Location header. */
int ingress_parse_target(torii_str_t s, const char **why);
/* "name[:port]" or "[IPv6][:port]". */
int ingress_parse_host(torii_str_t s);
/* Sorts networks by family and address; drops what another one covers. */
uint32_t ingress_network_sort(ingress_network_t *list, uint32_t n);

/* s within quotes, cut, with nothing that could disturb a terminal. */
const char *ingress_show(torii_str_t s, char buf[96]);
/* What a duration or size was meant to be, "" if there is no telling. */
const char *ingress_hint_seconds(torii_str_t s, char buf[32]);
const char *ingress_hint_size(torii_str_t s, char buf[32]);


#endif /* _INGRESS_SETTING_H_INCLUDED_ */

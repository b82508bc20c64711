
/*
 * What to change in DNS.  Objects and addresses become endpoints ("this host,
 * of this type, has these targets"); endpoints and what a zone holds become
 * edits, each of which concerns one host, and findings: what was refused, held
 * or cannot be, and why.  Pure: instants are seconds since 1970, and all that
 * is kept between two plans is the gate.
 *
 * Nothing is removed on the strength of missing information.  A zone that was
 * not read whole is left alone; a host without targets keeps what it has; and
 * a deletion passes a gate: sources complete, absence confirmed, the zone's
 * listing fresh, ownership proven, no other writer of the same id, and no more
 * at a time than the brake allows.
 *
 * Names are canonical here: lower case, no final dot, A-labels; see
 * dnssync_host_read() and dnssync_record_read().
 */

#ifndef _DNSSYNC_PLAN_H_INCLUDED_
#define _DNSSYNC_PLAN_H_INCLUDED_


#include "torii_regex.h"
#include "dnssync_owner.h"


#define DNSSYNC_TTL_DEFAULT   300
#define DNSSYNC_TTL_MIN       30
#define DNSSYNC_TTL_LIMIT     2147483647    /* RFC 2181 section 8 */
#define DNSSYNC_TARGETS_MAX   256           /* of one host */
#define DNSSYNC_OPTIONS_MAX   64


/* A provider's option, "aws/weight": "10". */

typedef struct {
    torii_str_t               name;
    torii_str_t               value;
} dnssync_option_t;


/*
 * What is wanted.  Without targets: what there is stays, of this type, of all
 * types (0), or, without a name, of all hosts of the resource.
 */

typedef struct {
    torii_str_t               name;
    torii_str_t               set;         /* identifier, of Route 53 */
    torii_str_t               view;
    torii_str_t               resource;    /* "ingress/NAMESPACE/NAME" */
    torii_str_t               zone;        /* id of the only zone; may be "" */
    uint64_t                  created;     /* the resource: the oldest wins */
    torii_str_t              *targets;     /* as by dnssync_value_read() */
    uint32_t                  n;
    uint32_t                  ttl;         /* 0: not said */
    unsigned                  type;
    dnssync_option_t         *options;
    uint32_t                  noptions;
    unsigned                  said:1;      /* targets by annotation, not ours */
} dnssync_endpoint_t;


/*
 * A set of records, as read from a zone or to be written there.  The value of
 * a TXT record is its bytes, of an address or alias as dnssync_value_read()
 * has it, of others whatever the driver likes.
 */

typedef struct {
    torii_str_t               name;
    torii_str_t               set;
    torii_str_t               id;          /* the driver's own: id, etag */
    torii_str_t               tag;         /* a native mark; "" is none */
    torii_str_t              *values;
    uint32_t                  n;
    uint32_t                  ttl;
    unsigned                  type;
    dnssync_option_t         *options;
    uint32_t                  noptions;
} dnssync_rrset_t;


/* What a provider can do; zeroed is an RFC 2136 server. */

typedef struct {
    uint32_t                  ttl_default;  /* 0: DNSSYNC_TTL_DEFAULT */
    uint32_t                  ttl_min;      /* 0: DNSSYNC_TTL_MIN */
    uint32_t                  ttl_max;      /* 0: no limit */
    uint32_t                  ttl_auto;     /* not clamped; 0: there is none */
    uint32_t                  values_max;   /* of a set; 0: no limit */
    uint32_t                  tag_max;      /* bytes of a native mark */
    const char               *proxied;      /* option that wants ttl_auto */
    const char *const        *options;      /* "aws/", NULL at the end */
    unsigned                  alias:1;      /* ALIAS stands for CNAME at apex */
    unsigned                  sets:1;       /* knows set identifiers */
    unsigned                  no_star:1;    /* "*" only as a whole label */
} dnssync_provider_t;


typedef enum {
    DNSSYNC_ZONE_UNKNOWN = 0,  /* not read yet */
    DNSSYNC_ZONE_FAILED,       /* not, or not whole: refused, cut off, late */
    DNSSYNC_ZONE_COMPLETE      /* by the provider's proof of completeness */
} dnssync_zone_state_e;

typedef struct {
    torii_str_t               id;          /* provider, zone and visibility */
    torii_str_t               name;
    torii_str_t               view;
    const dnssync_provider_t *provider;
    dnssync_rrset_t          *sets;
    uint32_t                  n;
    uint64_t                  listed;      /* when */
    dnssync_zone_state_e      state;
} dnssync_zone_t;


/* A host name that an alias points to, resolved for the apex. */

typedef struct {
    torii_str_t               name;
    torii_str_t              *addresses;
    uint32_t                  n;           /* 0: it failed */
} dnssync_lookup_t;


typedef enum {
    DNSSYNC_UPSERT_ONLY = 0,   /* removes no host */
    DNSSYNC_SYNC,
    DNSSYNC_CREATE_ONLY,
    DNSSYNC_OBSERVE            /* as sync, to be shown, not to be done */
} dnssync_policy_e;

/* TORII_ERROR: no such policy. */
int dnssync_policy(torii_str_t word, dnssync_policy_e *policy);


/*
 * Hosts in charge: "a.example" is it and all below, ".a.example" only those
 * below.  Regular expressions, if there are any, stand in place of both lists.
 */

typedef struct {
    const torii_str_t        *include;
    uint32_t                  ninclude;    /* 0: all */
    const torii_str_t        *exclude;
    uint32_t                  nexclude;
    torii_str_t               regex;
    torii_str_t               regex_exclude;
    torii_regex_cache_t      *cache;
} dnssync_filter_t;

int dnssync_filter_match(const dnssync_filter_t *f, torii_str_t name);


typedef struct {
    dnssync_registry_t        registry;
    dnssync_filter_t          filter;
    dnssync_policy_e          policy;
    unsigned                  types;          /* mask; 0: A, AAAA, CNAME */
    uint32_t                  ttl;            /* of new ones; 0: provider's */
    uint32_t                  delete_delay;   /* 0: 60 */
    uint32_t                  max_age;        /* of a listing; 0: 3600 */
    uint32_t                  brake_window;   /* 0: 3600 */
    uint32_t                  brake_min;      /* 0: 5 */
    uint32_t                  brake_percent;  /* 0: 20 */
    uint32_t                  lock_period;    /* 0: no lock in the zone */
    torii_str_t               instance;       /* WRITER.RUN of the lock's
                                                 holder; "": it writes none */
    unsigned                  preview:1;      /* of what the one other writer
                                                 that there may be will do */
    unsigned                  allow_empty:1;  /* a zone may lose all hosts */
    unsigned                  flatten:1;      /* aliases, not only at apex */
} dnssync_conf_t;


/* What is known of the objects. */

typedef struct {
    const dnssync_endpoint_t *endpoints;
    uint32_t                  n;
    const torii_str_t        *gone;        /* hosts seen to be deleted */
    uint32_t                  ngone;
    uint64_t                  settled;     /* no deletion before: new leader */
    unsigned                  complete:1;  /* read whole, and watched since */
} dnssync_source_t;


/* To make what is another's, or nobody's, ours; nothing else is planned then.
   Only of hosts that are wanted. */

typedef struct {
    torii_str_t               from;        /* owner; "" is none of them */
    torii_str_t               host;        /* only this one; "": all */
    unsigned                  unowned:1;
} dnssync_adopt_t;


typedef enum {
    /* of an edit */
    DNSSYNC_WHY_NEW = 0,
    DNSSYNC_WHY_TARGETS,
    DNSSYNC_WHY_TTL,
    DNSSYNC_WHY_OPTIONS,
    DNSSYNC_WHY_TYPES,
    DNSSYNC_WHY_MARK,
    DNSSYNC_WHY_GONE,
    DNSSYNC_WHY_ORPHAN,
    DNSSYNC_WHY_ADOPT,
    DNSSYNC_WHY_LOCK,

    /* of a deletion that has to wait */
    DNSSYNC_WHY_POLICY,
    DNSSYNC_WHY_INCOMPLETE,
    DNSSYNC_WHY_EMPTY,
    DNSSYNC_WHY_STALE,
    DNSSYNC_WHY_WRITERS,
    DNSSYNC_WHY_LEADER,
    DNSSYNC_WHY_UNCONFIRMED,
    DNSSYNC_WHY_BRAKE,

    /* of what is not done */
    DNSSYNC_WHY_NAME,
    DNSSYNC_WHY_TARGET,
    DNSSYNC_WHY_ANNOTATION,
    DNSSYNC_WHY_FILTERED,
    DNSSYNC_WHY_NO_ZONE,
    DNSSYNC_WHY_ZONE,
    DNSSYNC_WHY_AMBIGUOUS,
    DNSSYNC_WHY_TYPE,
    DNSSYNC_WHY_SET,
    DNSSYNC_WHY_FOREIGN,
    DNSSYNC_WHY_UNOWNED,
    DNSSYNC_WHY_CLASH,
    DNSSYNC_WHY_DELEGATED,
    DNSSYNC_WHY_MARK_NAME,
    DNSSYNC_WHY_APEX,
    DNSSYNC_WHY_LOOKUP,
    DNSSYNC_WHY_NO_TARGETS,
    DNSSYNC_WHY_LOSER,
    DNSSYNC_WHY_CLAMPED,
    DNSSYNC_WHY_DIVERGES,
    DNSSYNC_WHY_FAILING,
    DNSSYNC_WHY_NOT_SERVED
} dnssync_why_e;

/* "new", "brake": a word for metrics and events. */
const char *dnssync_why_word(dnssync_why_e why);


typedef enum {
    DNSSYNC_EDIT_CREATE = 0,   /* in the order in which they are to be done,
                                  but for the lock, which is first */
    DNSSYNC_EDIT_CHANGE,
    DNSSYNC_EDIT_ADOPT,
    DNSSYNC_EDIT_LOCK,
    DNSSYNC_EDIT_DELETE
} dnssync_edit_e;

/*
 * A set before and after; NULL: it is not there.  Of a TXT set values that are
 * not ours are in both.
 */

typedef struct {
    const dnssync_rrset_t    *before;
    const dnssync_rrset_t    *after;
} dnssync_part_t;

/* What must hold at the provider when the edit is done. */

typedef struct {
    torii_str_t               name;
    torii_str_t               set;
    unsigned                  type;
    const dnssync_rrset_t    *equal;       /* NULL: there is no such set */
} dnssync_require_t;

/* All or nothing: a driver may put many into one request, never split one. */

typedef struct {
    dnssync_edit_e            what;
    dnssync_why_e             why;
    const dnssync_zone_t     *zone;
    torii_str_t               name;        /* the host */
    torii_str_t               set;
    torii_str_t               resource;
    dnssync_part_t           *parts;
    dnssync_require_t        *requires;
    uint32_t                  nparts;
    uint32_t                  nrequires;
    uint32_t                  removed;     /* sets, for the brake */
    uint64_t                  hash;        /* of before and after */
} dnssync_edit_t;

typedef struct {
    dnssync_why_e             why;
    torii_str_t               zone;        /* id, "" if it is about none */
    torii_str_t               name;        /* host, "" if it is about none */
    torii_str_t               resource;
    torii_str_t               text;
} dnssync_finding_t;

typedef struct {
    torii_arena_t            *arena;
    dnssync_edit_t           *edits;
    uint32_t                  n;
    dnssync_finding_t        *findings;
    uint32_t                  nfindings;
    torii_str_t              *lookups;     /* names to be resolved */
    uint32_t                  nlookups;
    uint32_t                  owned;       /* sets that are ours */
    uint32_t                  held;        /* sets that the brake holds */
    uint64_t                  beat;        /* when a lock is due; 0: none is */
    unsigned                  observe:1;   /* do not do them */

    uint32_t                  edits_size;
    uint32_t                  findings_size;
    uint32_t                  lookups_size;
} dnssync_plan_t;


/*
 * What is kept between plans: since when a host is missing, how much was
 * deleted of late, what the brake holds and the operator let go, what failed
 * and what never becomes as written.  It is a hint: to lose it delays
 * deletions.
 */

typedef struct dnssync_gate_s  dnssync_gate_t;

dnssync_gate_t *dnssync_gate_create(void);
void dnssync_gate_free(dnssync_gate_t *gate);
void dnssync_gate_save(const dnssync_gate_t *gate, torii_buf_t *json);
/* Into a new gate.  TORII_ERROR: why not, and the gate is as new. */
int dnssync_gate_load(dnssync_gate_t *gate, torii_str_t json, char why[192]);

/* What became of an edit. */
void dnssync_gate_applied(dnssync_gate_t *gate, const dnssync_edit_t *edit,
    uint64_t now);
void dnssync_gate_failed(dnssync_gate_t *gate, const dnssync_edit_t *edit,
    uint64_t now);
/*
 * The deletions that the brake holds now, in one zone or in all (""), may go;
 * what becomes missing later may not.  Returns how many.
 */
uint32_t dnssync_gate_ack(dnssync_gate_t *gate, torii_str_t zone);


typedef struct {
    const dnssync_conf_t     *conf;
    const dnssync_source_t   *source;
    const dnssync_zone_t     *zones;       /* none is missing, or: */
    uint32_t                  nzones;
    unsigned                  zones_unknown:1;  /* their list was not read */
    const dnssync_lookup_t   *lookups;     /* sorted by torii_str_cmp() */
    uint32_t                  nlookups;
    const dnssync_adopt_t    *adopt;       /* may be NULL */
    uint64_t                  now;
} dnssync_input_t;

/*
 * Into a zeroed plan with an arena.  The result refers to the input.
 * TORII_ERROR: the registry is not usable; nothing is planned.
 */
int dnssync_plan(dnssync_plan_t *plan, const dnssync_input_t *in,
    dnssync_gate_t *gate);

void dnssync_plan_finding(dnssync_plan_t *plan, dnssync_why_e why,
    torii_str_t zone, torii_str_t name, torii_str_t resource, const char *fmt,
    ...) __attribute__((format(printf, 6, 7)));


/*
 * dnssync_value.c: values at the edges.  A host as an author writes it: a
 * wildcard's "*" may be its first label, "*why" is static.  A name as a zone
 * has it: with escapes, "\042" for "*"; as Route 53 has it: "\052".
 */
int dnssync_host_read(torii_arena_t *a, torii_str_t text, torii_str_t *host,
    const char **why);
int dnssync_record_read(torii_arena_t *a, torii_str_t text,
    torii_str_t *name);
int dnssync_record_octal(torii_arena_t *a, torii_str_t text,
    torii_str_t *name);
/* Of A, AAAA, CNAME in one form; "::FFFF:1" as "::ffff:1". */
int dnssync_value_read(torii_arena_t *a, unsigned type, torii_str_t text,
    torii_str_t *value);
/* A, AAAA or CNAME, by what it looks like. */
unsigned dnssync_value_type(torii_str_t text);
/* "A"; NULL: it is none of those that are published. */
const char *dnssync_type_word(unsigned type);
unsigned dnssync_type_mask(unsigned type);

/* TXT in a zone file's form, one or several strings, or bare. */
int dnssync_txt_read(torii_arena_t *a, torii_str_t text, torii_str_t *value);
void dnssync_txt_write(torii_buf_t *b, torii_str_t value);


#endif /* _DNSSYNC_PLAN_H_INCLUDED_ */

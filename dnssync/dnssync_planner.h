
/*
 * Inside of the planner: one zone at a time, a row for each name in it, and
 * the gate that deletions pass.
 */

#ifndef _DNSSYNC_PLANNER_H_INCLUDED_
#define _DNSSYNC_PLANNER_H_INCLUDED_


#include "dnssync_plan.h"


#define DNSSYNC_ROW_ORPHAN     0x80       /* beside the types of a mask */

#define DNSSYNC_EDIT_PARTS     12
#define DNSSYNC_EDIT_REQUIRES  20


typedef struct dnssync_row_s  dnssync_row_t;
typedef struct dnssync_mark_s  dnssync_mark_t;
typedef struct dnssync_link_s  dnssync_link_t;
typedef struct dnssync_track_s  dnssync_track_t;


/* Type i of a mask. */
extern const unsigned  dnssync_types[DNSSYNC_TYPES];


/* An endpoint that falls into a zone. */

struct dnssync_link_s {
    dnssync_link_t            *next;
    const dnssync_endpoint_t  *endpoint;
};


/* What is said of a host's owner, in one place. */

struct dnssync_mark_s {
    dnssync_mark_t            *next;
    dnssync_row_t             *at;         /* with the TXT set; NULL: native */
    uint32_t                   index;      /* of the value in it */
    dnssync_form_e             form;
    unsigned                   types;      /* of which it tells */
    unsigned                   ours:1;
    dnssync_owner_t            owner;
};


struct dnssync_row_s {
    torii_str_t                name;
    torii_str_t                set;
    uint64_t                   hash;

    /* what is there */
    const dnssync_rrset_t     *have[DNSSYNC_TYPES];
    const dnssync_rrset_t     *txt;
    dnssync_mark_t            *marks;
    const dnssync_mark_t      *foreign;    /* the first that is another's */
    uint32_t                   users;      /* hosts that this TXT set marks */
    const dnssync_row_t       *user;       /* the last of them */
    uint8_t                    there;      /* masks of types */
    uint8_t                    ours;

    /* what is wanted */
    dnssync_link_t            *links;
    const dnssync_endpoint_t  *winner;
    dnssync_rrset_t           *want[DNSSYNC_TYPES];
    uint8_t                    wanted;
    uint8_t                    keep;
    uint8_t                    drop;       /* to be removed, */
    uint8_t                    gated;      /* of these: counted by the brake */

    unsigned                   other:1;    /* has sets of other types */
    unsigned                   ns:1;
    unsigned                   gone:1;     /* seen to be deleted */
    unsigned                   orphan:1;   /* a mark of ours, without a host */
    unsigned                   refused:1;  /* a finding says why */
};


typedef struct {
    const dnssync_zone_t      *zone;
    dnssync_link_t            *links;
    uint32_t                   nlinks;
    uint32_t                   same;       /* index + 1 of one named so, too */
} dnssync_place_t;


/* One zone's planning. */

typedef struct {
    dnssync_plan_t            *plan;
    torii_arena_t             *arena;
    const dnssync_input_t     *in;
    const dnssync_conf_t      *conf;
    dnssync_gate_t            *gate;
    const dnssync_zone_t      *zone;
    const dnssync_provider_t  *provider;

    dnssync_row_t            **rows;       /* in order */
    uint32_t                   n;
    dnssync_row_t            **slots;
    uint32_t                   mask;

    const dnssync_endpoint_t **keeps;      /* of whole resources */
    uint32_t                   nkeeps;
    uint32_t                   first;      /* edit of this zone */
    uint32_t                   wanted;     /* endpoints in this zone */
    uint32_t                   owned;      /* sets */
    uint32_t                   drops;      /* that passed the gate */
    uint32_t                   counts[DNSSYNC_WHY_BRAKE + 1];
    const dnssync_rrset_t     *lock;       /* TXT set; NULL: there is none */
    torii_str_t                lock_name;
    uint64_t                   lock_since; /* what is late in it is; or 0 */
    unsigned                   delegates:1;
    unsigned                   writers:1;

    /* the edit that is made at present */
    dnssync_edit_t             edit;
    dnssync_part_t             parts[DNSSYNC_EDIT_PARTS];
    dnssync_require_t          requires[DNSSYNC_EDIT_REQUIRES];
} dnssync_ctx_t;


/* dnssync_row.c */
int dnssync_rows(dnssync_ctx_t *ctx, dnssync_place_t *place);
/* That of a name, new if there is none; name has to live as long. */
dnssync_row_t *dnssync_row(dnssync_ctx_t *ctx, torii_str_t name,
    torii_str_t set);
dnssync_row_t *dnssync_row_find(const dnssync_ctx_t *ctx, torii_str_t name,
    torii_str_t set);
const dnssync_row_t *dnssync_row_delegation(const dnssync_ctx_t *ctx,
    torii_str_t name);
int dnssync_within(torii_str_t name, torii_str_t zone);

/* dnssync_mark.c: finding and judging marks; what an edit does to them */
void dnssync_marks(dnssync_ctx_t *ctx, dnssync_row_t *row);
const dnssync_mark_t *dnssync_mark_of(const dnssync_row_t *row,
    unsigned type);
dnssync_form_e dnssync_mark_form(const dnssync_ctx_t *ctx,
    const dnssync_row_t *row);
void dnssync_orphans(dnssync_ctx_t *ctx);

/* dnssync_mark_edit.c */
int dnssync_mark_edits(dnssync_ctx_t *ctx, dnssync_row_t *row,
    unsigned after, int adopt, dnssync_edit_t *edit);
/* One value of a TXT set becomes another, or goes; row may be NULL. */
void dnssync_mark_change(dnssync_ctx_t *ctx, const dnssync_row_t *row,
    torii_str_t name, const dnssync_rrset_t *before, torii_str_t old,
    torii_str_t text, dnssync_edit_t *edit);
torii_str_t dnssync_mark_tag(dnssync_ctx_t *ctx, const dnssync_row_t *row,
    unsigned types);

/* dnssync_want.c: which endpoint a host follows, and its sets */
void dnssync_wants(dnssync_ctx_t *ctx, dnssync_row_t *row);
uint32_t dnssync_ttl(const dnssync_ctx_t *ctx, const dnssync_endpoint_t *e,
    int *clamped);

/* dnssync_judge.c: what may be removed */
void dnssync_judge(dnssync_ctx_t *ctx);

/* dnssync_edit.c */
void dnssync_edits(dnssync_ctx_t *ctx);
void dnssync_edit_foreign(dnssync_ctx_t *ctx, const dnssync_row_t *row,
    unsigned type);

/* dnssync_adopt.c */
void dnssync_edits_adopt(dnssync_ctx_t *ctx);

/* dnssync_edit_part.c */
void dnssync_edit_part(dnssync_edit_t *edit, const dnssync_rrset_t *before,
    const dnssync_rrset_t *after);
void dnssync_edit_require(dnssync_edit_t *edit, torii_str_t name,
    torii_str_t set, unsigned type, const dnssync_rrset_t *equal);
/* One at a time; it is kept, or not, at its end. */
dnssync_edit_t *dnssync_edit_start(dnssync_ctx_t *ctx, torii_str_t name,
    torii_str_t set);
void dnssync_edit_end(dnssync_ctx_t *ctx, dnssync_edit_t *edit);

/* dnssync_lock.c: two writers of one id */
void dnssync_lock_read(dnssync_ctx_t *ctx);
/* After all other edits of the zone. */
void dnssync_lock_edit(dnssync_ctx_t *ctx);

/* dnssync_gate.c */
void dnssync_gate_begin(dnssync_gate_t *gate);
dnssync_track_t *dnssync_gate_track(dnssync_gate_t *gate, torii_str_t zone,
    torii_str_t name, torii_str_t set, unsigned type, int make);
int dnssync_gate_confirmed(dnssync_track_t *t, uint64_t now, uint32_t delay,
    int gone);
int dnssync_gate_acked(const dnssync_track_t *t);
/* Whether it was missing before the zone was listed. */
int dnssync_gate_seen(const dnssync_track_t *t, uint64_t listed);
void dnssync_gate_hold(dnssync_track_t *t);
/* WHY_DIVERGES, WHY_FAILING, or WHY_NEW: it may be tried. */
dnssync_why_e dnssync_gate_edit(dnssync_gate_t *gate,
    const dnssync_edit_t *edit, uint64_t now);
uint32_t dnssync_gate_deleted(dnssync_gate_t *gate, torii_str_t zone,
    uint64_t now, uint32_t window);
/* Since which listing of a zone this is late in its lock; a hash, or 0. */
uint64_t dnssync_gate_lock(dnssync_gate_t *gate, torii_str_t zone,
    uint64_t hash, uint64_t now);
/* What is no longer missing in this zone is forgotten. */
void dnssync_gate_end(dnssync_gate_t *gate, torii_str_t zone, uint64_t now);


#endif /* _DNSSYNC_PLANNER_H_INCLUDED_ */

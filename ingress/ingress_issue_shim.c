
/*
 * What an Ingress says in annotations of cert-manager's "ingress-shim", and of
 * Torii's own.  One table holds all names.
 */

#include "ingress_issue_shim.h"


/* where a name counts */
#define INGRESS_SHIM_INGRESS  0x01
#define INGRESS_SHIM_OWNER    0x02   /* a Certificate, too */
#define INGRESS_SHIM_TRIGGER  0x04   /* asks for certificates */
#define INGRESS_SHIM_LATER    0x08   /* read, and not heeded yet */


#define INGRESS_SHIM_PAIR     "torii/certificate-key"
#define INGRESS_SHIM_RSA      1024   /* smaller: the key's of another kind */


typedef const char *(*ingress_shim_read_pt)(ingress_shim_t *shim,
    const ingress_pair_t *pair);

typedef struct {
    const char            *name;
    unsigned               where;
    ingress_shim_read_pt   read;           /* NULL: without effect */
    const char            *value;          /* the default */
    const char            *help;
} ingress_shim_row_t;


static int ingress_shim_true(torii_str_t s);
static const ingress_shim_row_t *ingress_shim_row(torii_str_t name);
static void ingress_shim_read(ingress_shim_t *shim, unsigned where);
static void ingress_shim_bad(ingress_shim_t *shim, const ingress_pair_t *pair,
    const char *why);
static void ingress_shim_choose(ingress_shim_t *shim);
static void ingress_shim_default(ingress_shim_t *shim);
static void ingress_shim_times(ingress_shim_t *shim);


/* in order of name */

static const ingress_shim_row_t  ingress_shim_rows[] = {

    { "acme.cert-manager.io/http01-edit-in-place",
      INGRESS_SHIM_INGRESS | INGRESS_SHIM_LATER,
      ingress_shim_temporary, "false",
      "true: a self-signed certificate serves until there is one" },

    { "acme.cert-manager.io/http01-ingress-class", INGRESS_SHIM_INGRESS,
      NULL, "", "without effect: the gateway itself answers challenges" },

    { "acme.cert-manager.io/http01-ingress-ingressclassname",
      INGRESS_SHIM_INGRESS, NULL, "",
      "without effect: the gateway itself answers challenges" },

    { "cert-manager.io/alt-names", INGRESS_SHIM_INGRESS,
      ingress_shim_names, "", "names besides the hosts of spec.tls" },

    { "cert-manager.io/cluster-issuer",
      INGRESS_SHIM_INGRESS | INGRESS_SHIM_TRIGGER, ingress_shim_cluster, "",
      "certificates for spec.tls by this ClusterIssuer" },

    { "cert-manager.io/common-name", INGRESS_SHIM_INGRESS,
      ingress_shim_common, "", "common name; by ACME one of the names" },

    { "cert-manager.io/duration", INGRESS_SHIM_INGRESS,
      ingress_shim_duration, "", "life to ask for, from \"1h\"" },

    { "cert-manager.io/email-sans", INGRESS_SHIM_INGRESS,
      ingress_shim_other_names, "", "left out, with a warning" },

    { "cert-manager.io/ip-sans", INGRESS_SHIM_INGRESS,
      ingress_shim_addresses, "", "addresses besides the hosts of spec.tls" },

    { "cert-manager.io/issue-temporary-certificate",
      INGRESS_SHIM_OWNER | INGRESS_SHIM_LATER,
      ingress_shim_temporary, "false",
      "true: a self-signed certificate serves until there is one" },

    { "cert-manager.io/issuer",
      INGRESS_SHIM_INGRESS | INGRESS_SHIM_TRIGGER, ingress_shim_issuer, "",
      "certificates for spec.tls by this Issuer of the namespace" },

    { "cert-manager.io/issuer-group", INGRESS_SHIM_INGRESS,
      ingress_shim_group, INGRESS_ISSUE_GROUP,
      "another one: the certificate is left to others" },

    { "cert-manager.io/issuer-kind", INGRESS_SHIM_INGRESS,
      ingress_shim_kind, "Issuer",
      "kind of cert-manager.io/issuer, or ClusterIssuer" },

    { "cert-manager.io/private-key-algorithm", INGRESS_SHIM_INGRESS,
      ingress_shim_algorithm, "RSA", "RSA or ECDSA" },

    { "cert-manager.io/private-key-encoding", INGRESS_SHIM_INGRESS,
      ingress_shim_encoding, "PKCS1", "PKCS1 or PKCS8" },

    { "cert-manager.io/private-key-rotation-policy", INGRESS_SHIM_INGRESS,
      ingress_shim_rotation, "Always",
      "Never: the key stays when the certificate is renewed" },

    { "cert-manager.io/private-key-size", INGRESS_SHIM_INGRESS,
      ingress_shim_size, "",
      "RSA: 2048 (default), 3072, 4096; ECDSA: 256 (default), 384" },

    { "cert-manager.io/renew-before", INGRESS_SHIM_INGRESS,
      ingress_shim_before, "", "renew so long before the end, from \"5m\"" },

    { "cert-manager.io/renew-before-percentage", INGRESS_SHIM_INGRESS,
      ingress_shim_percent, "",
      "renew when so much of the life is left, from 1 to 99" },

    { "cert-manager.io/revision-history-limit", INGRESS_SHIM_INGRESS,
      NULL, "", "without effect: there are no CertificateRequests" },

    { "cert-manager.io/secret-template",
      INGRESS_SHIM_INGRESS | INGRESS_SHIM_LATER,
      ingress_shim_template, "",
      "{\"annotations\":{},\"labels\":{}} of the Secret" },

    { "cert-manager.io/subject-countries", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/subject-localities", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/subject-organizationalunits", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/subject-organizations", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/subject-postalcodes", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/subject-provinces", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/subject-serialnumber", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/subject-streetaddresses", INGRESS_SHIM_INGRESS,
      ingress_shim_subject, "", "left out, with a note" },

    { "cert-manager.io/uri-sans", INGRESS_SHIM_INGRESS,
      ingress_shim_other_names, "", "left out, with a warning" },

    { "cert-manager.io/usages", INGRESS_SHIM_INGRESS,
      NULL, "", "without effect: certificates are for servers" },

    { "kubernetes.io/tls-acme",
      INGRESS_SHIM_INGRESS | INGRESS_SHIM_TRIGGER, ingress_shim_auto, "false",
      "true: certificates for spec.tls by the default issuer" },

    { "torii/acme-challenge", INGRESS_SHIM_OWNER,
      ingress_shim_challenge, "",
      "http-01, tls-alpn-01: which comes first; dns-01, dns-persist-01: that "
      "alone" },

    { INGRESS_SHIM_PAIR, INGRESS_SHIM_OWNER, ingress_shim_pair, "",
      "rsa+ecdsa: one more certificate, in Secret NAME-ecdsa" },

    { "torii/issuers", INGRESS_SHIM_OWNER,
      ingress_shim_more, "",
      "who issues when the issuer fails: KIND/NAME, ..." },

    { "torii/renew-now", INGRESS_SHIM_OWNER,
      ingress_shim_renew, "", "renew what was issued before this time" },

    { NULL, 0, NULL, NULL, NULL }
};


ingress_wish_t *
ingress_issue_shim(ingress_issuing_t *s, const ingress_object_t *o)
{
    ingress_wish_t  *w;
    ingress_shim_t   shim;

    if (o->deleting || o->u.ingress.ntls == 0 || !ingress_issue_trigger(o)) {
        return NULL;
    }

    w = torii_arena_zalloc(s->arena, sizeof(ingress_wish_t));

    w->owner = o;
    w->issue.owner = o;

    memset(&shim, 0, sizeof(ingress_shim_t));

    shim.s = s;
    shim.w = w;
    shim.algorithm = INGRESS_KEY_RSA;

    ingress_shim_read(&shim, INGRESS_SHIM_INGRESS | INGRESS_SHIM_OWNER);
    ingress_shim_choose(&shim);
    ingress_shim_times(&shim);

    if (w->pair && shim.size) {
        shim.algorithm = shim.bits < INGRESS_SHIM_RSA ? INGRESS_KEY_ECDSA
                                                      : INGRESS_KEY_RSA;
    }

    ingress_issue_key(s, w, shim.algorithm, shim.bits,
                      "cert-manager.io/private-key-size",
                      shim.size ? shim.size->line : 0);

    if (w->bad) {
        return w;
    }

    if (w->issuer.len == 0) {
        return NULL;
    }

    w->apart = (ingress_issue_issuers(s, w) != TORII_OK);

    return w;
}


int
ingress_issue_asks(ingress_issuing_t *s, const ingress_object_t *o,
    torii_str_t secret)
{
    uint32_t              i;
    const ingress_tls_t  *tls;

    if (o->deleting || !ingress_issue_trigger(o)) {
        return 0;
    }

    if (s->options->default_issuer.len == 0
        && ingress_pair_find(&o->annotations,
                             "cert-manager.io/cluster-issuer") == NULL
        && ingress_pair_find(&o->annotations, "cert-manager.io/issuer")
           == NULL)
    {
        return 0;
    }

    for (i = 0; i < o->u.ingress.ntls; i++) {
        tls = &o->u.ingress.tls[i];

        if (tls->n && torii_str_eq(tls->secret, secret)) {
            return 1;
        }
    }

    return 0;
}


int
ingress_issue_trigger(const ingress_object_t *o)
{
    uint32_t                   i;
    const ingress_pair_t      *pair;
    const ingress_shim_row_t  *row;

    for (i = 0; i < o->annotations.n; i++) {
        pair = &o->annotations.elts[i];
        row = ingress_shim_row(pair->name);

        if (row != NULL && (row->where & INGRESS_SHIM_TRIGGER)
            && (row->read != ingress_shim_auto
                || ingress_shim_true(pair->value)))
        {
            return 1;
        }
    }

    return 0;
}


int
ingress_issue_pair(const ingress_object_t *o)
{
    const ingress_pair_t  *pair;

    pair = ingress_pair_find(&o->annotations, INGRESS_SHIM_PAIR);

    return pair != NULL && torii_str_eqs(pair->value, "rsa+ecdsa");
}


void
ingress_issue_notes(ingress_issuing_t *s, ingress_wish_t *w)
{
    ingress_shim_t  shim;

    memset(&shim, 0, sizeof(ingress_shim_t));

    shim.s = s;
    shim.w = w;

    ingress_shim_read(&shim, INGRESS_SHIM_OWNER);
}


void
ingress_issue_each(ingress_setting_visit_pt visit, void *data)
{
    ingress_setting_info_t     info;
    const ingress_shim_row_t  *row;

    for (row = ingress_shim_rows; row->name != NULL; row++) {
        info.name = row->name;
        info.state = (row->where & INGRESS_SHIM_LATER) ? "not yet"
                     : (row->read == NULL
                        || row->read == ingress_shim_subject
                        || row->read == ingress_shim_other_names)
                     ? "never" : "enforced";
        info.scope = "certificate";
        info.value = row->value;
        info.bad = "keep";
        info.help = row->help;

        visit(data, &info);
    }
}


int
ingress_issue_knows(torii_str_t name)
{
    return ingress_shim_row(name) != NULL;
}


/* Go's strconv.ParseBool() */

static int
ingress_shim_true(torii_str_t s)
{
    uint32_t  i;

    static const char *const  names[] = {
        "1", "t", "T", "true", "TRUE", "True", NULL
    };

    for (i = 0; names[i] != NULL; i++) {
        if (torii_str_eqs(s, names[i])) {
            return 1;
        }
    }

    return 0;
}


static const ingress_shim_row_t *
ingress_shim_row(torii_str_t name)
{
    const ingress_shim_row_t  *row;

    /* most annotations are of nginx.ingress.kubernetes.io */

    if (name.len == 0 || memchr("ackt", name.data[0], 4) == NULL) {
        return NULL;
    }

    for (row = ingress_shim_rows; row->name != NULL; row++) {
        if (torii_str_eqs(name, row->name)) {
            return row;
        }
    }

    return NULL;
}


static void
ingress_shim_read(ingress_shim_t *shim, unsigned where)
{
    uint32_t                   i;
    const char                *why;
    const ingress_pair_t      *pair;
    const ingress_object_t    *o;
    const ingress_shim_row_t  *row;

    o = shim->w->owner;

    for (i = 0; i < o->annotations.n; i++) {
        pair = &o->annotations.elts[i];
        row = ingress_shim_row(pair->name);

        if (row == NULL || !(row->where & where) || row->read == NULL) {
            continue;
        }

        why = row->read(shim, pair);

        if (why != NULL) {
            ingress_shim_bad(shim, pair, why);
        }
    }
}


static void
ingress_shim_bad(ingress_shim_t *shim, const ingress_pair_t *pair,
    const char *why)
{
    ingress_issue_bad(shim->s, shim->w, pair->name, pair->value, pair->line,
                      why);
}


/* Who is to issue: one by name, or the gateway's default. */

static void
ingress_shim_choose(ingress_shim_t *shim)
{
    ingress_wish_t        *w;
    const ingress_pair_t  *pair;

    w = shim->w;
    pair = shim->cluster ? shim->cluster : shim->issuer;

    w->group = torii_str(INGRESS_ISSUE_GROUP);

    if (pair == NULL) {
        ingress_shim_default(shim);

    } else {
        w->issuer = pair->value;
        w->field = shim->cluster ? "cert-manager.io/cluster-issuer"
                                 : "cert-manager.io/issuer";
        w->line = pair->line;
        w->kind = torii_str(shim->cluster ? "ClusterIssuer" : "Issuer");
    }

    if (shim->cluster && (shim->issuer || shim->kind || shim->group)) {
        ingress_shim_bad(shim, shim->cluster, "excludes cert-manager.io/"
                         "issuer, issuer-kind and issuer-group");
        return;
    }

    if (shim->kind && shim->kind->value.len) {
        w->kind = shim->kind->value;
    }

    if (shim->group && shim->group->value.len) {
        w->group = shim->group->value;
    }
}


static void
ingress_shim_default(ingress_shim_t *shim)
{
    torii_str_t            rest, kind;
    ingress_wish_t        *w;
    const ingress_pair_t  *pair;

    w = shim->w;
    rest = shim->s->options->default_issuer;

    w->field = "kubernetes.io/tls-acme";
    pair = ingress_pair_find(&w->owner->annotations, w->field);

    if (rest.len && torii_str_next(&rest, "/", &kind) && rest.len) {
        w->kind = kind;
        w->issuer = rest;
        w->line = pair->line;
        return;
    }

    (void) ingress_issue_finding(shim->s, w->owner, INGRESS_WARNING,
                                 "BadConfig", pair->name, pair->value,
                                 pair->line, "asks for the default issuer, and "
                                 "there is none; name one by "
                                 "cert-manager.io/cluster-issuer");
}


static void
ingress_shim_times(ingress_shim_t *shim)
{
    const ingress_issue_t  *issue;

    issue = &shim->w->issue;

    if (shim->before && shim->percent) {
        ingress_shim_bad(shim, shim->percent,
                         "and cert-manager.io/renew-before exclude each "
                         "other");
        return;
    }

    if (issue->duration && issue->renew_before >= issue->duration) {
        ingress_shim_bad(shim, shim->before,
                         "must be less than cert-manager.io/duration");
    }
}

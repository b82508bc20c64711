
/*
 * Endpoints of an object: its hosts, each with what it is reached by.
 */

#include "dnssync_source.h"


typedef struct {
    dnssync_endpoints_t          *list;
    dnssync_plan_t               *plan;
    const dnssync_source_conf_t  *conf;
    const dnssync_object_t       *object;
    dnssync_says_t                says;
    torii_str_t                  *targets[DNSSYNC_TYPES];  /* of "target" */
    uint32_t                      n[DNSSYNC_TYPES];
    dnssync_option_t             *options;
    uint32_t                      noptions;
    uint32_t                      ttl;
    unsigned                      said:1;
    unsigned                      keep:1;    /* all as it is */
} dnssync_make_t;


static int dnssync_make_says(dnssync_make_t *m);
static void dnssync_make_keep(dnssync_make_t *m, const char *word,
    torii_str_t value);
static void dnssync_make_targets(dnssync_make_t *m);
static void dnssync_make_options(dnssync_make_t *m);
static void dnssync_make_hosts(dnssync_make_t *m, const torii_str_t *hosts,
    uint32_t n);
static void dnssync_make_names(dnssync_make_t *m);
static void dnssync_make_host(dnssync_make_t *m, torii_str_t text);
static void dnssync_make_view(dnssync_make_t *m, const dnssync_view_t *view,
    torii_str_t host);
static void dnssync_make_addresses(dnssync_make_t *m,
    const dnssync_view_t *view, torii_str_t host);
static void dnssync_make_add(dnssync_make_t *m, torii_str_t view,
    torii_str_t host, unsigned type, torii_str_t *targets, uint32_t n);
static int dnssync_make_target(torii_arena_t *a, torii_str_t text,
    unsigned *i, torii_str_t *value);
static int dnssync_ttl_part(torii_str_t *text, uint64_t *value);
static torii_str_t dnssync_make_word(torii_arena_t *a, torii_str_t text);


static const torii_str_t  dnssync_nothing = torii_null_string;


static const struct {
    const char  *name;
    uint64_t     nanoseconds;
} dnssync_units[] = {
    { "h", 3600000000000ULL },
    { "ms", 1000000 },
    { "m", 60000000000ULL },
    { "s", 1000000000 },
    { "us", 1000 },
    { "ns", 1 }
};

#define DNSSYNC_SECOND  1000000000
#define DNSSYNC_UNITS  (sizeof(dnssync_units) / sizeof(dnssync_units[0]))


void
dnssync_endpoints(dnssync_endpoints_t *list, dnssync_plan_t *plan,
    const dnssync_source_conf_t *conf, const dnssync_object_t *object)
{
    torii_str_t     source;
    dnssync_make_t  m;

    memset(&m, 0, sizeof(dnssync_make_t));

    m.list = list;
    m.plan = plan;
    m.conf = conf;
    m.object = object;

    dnssync_says(&m.says, plan, object);

    if (dnssync_make_says(&m) != TORII_OK) {
        return;
    }

    source = m.says.values[DNSSYNC_SAY_HOSTNAME_SOURCE];

    if (m.keep) {
        source = dnssync_nothing;
        dnssync_make_add(&m, dnssync_nothing, dnssync_nothing, DNSSYNC_TYPES,
                         NULL, 0);
    }

    if (!torii_str_caseeqs(source, "annotation-only")) {
        dnssync_make_hosts(&m, object->hosts, object->n);

        if (conf->tls_hosts) {
            dnssync_make_hosts(&m, object->tls, object->ntls);
        }
    }

    if (!torii_str_caseeqs(source, "defined-hosts-only")) {
        dnssync_make_names(&m);
    }
}


/* TORII_DECLINED: the object is for another controller. */

static int
dnssync_make_says(dnssync_make_t *m)
{
    torii_str_t  s;

    s = m->says.values[DNSSYNC_SAY_CONTROLLER];

    if (s.len && !torii_str_eqs(s, "dns-controller")
        && !torii_str_eqs(s, "torii"))
    {
        return TORII_DECLINED;
    }

    s = m->says.values[DNSSYNC_SAY_HOSTNAME_SOURCE];

    if (s.len && !torii_str_caseeqs(s, "annotation-only")
        && !torii_str_caseeqs(s, "defined-hosts-only"))
    {
        dnssync_make_keep(m, "ingress-hostname-source", s);
    }

    s = m->says.values[DNSSYNC_SAY_ACCESS];

    if (s.len && !torii_str_eqs(s, "public") && !torii_str_eqs(s, "private")) {
        dnssync_make_keep(m, "access", s);
    }

    s = m->says.values[DNSSYNC_SAY_TTL];

    if (s.len && dnssync_ttl_read(s, &m->ttl) != TORII_OK) {
        dnssync_plan_finding(m->plan, DNSSYNC_WHY_ANNOTATION, dnssync_nothing,
                             dnssync_nothing, m->object->resource,
                             "ttl \"%.*s\" is neither seconds nor a duration",
                             torii_str_arg(s));
        m->ttl = 0;
    }

    if (torii_str_eqs(m->says.values[DNSSYNC_SAY_RECORD_TYPE], "ptr")) {
        dnssync_plan_finding(m->plan, DNSSYNC_WHY_TYPE, dnssync_nothing,
                             dnssync_nothing, m->object->resource,
                             "records of type PTR are not made");
    }

    dnssync_make_targets(m);
    dnssync_make_options(m);

    return TORII_OK;
}


static void
dnssync_make_keep(dnssync_make_t *m, const char *word, torii_str_t value)
{
    dnssync_plan_finding(m->plan, DNSSYNC_WHY_ANNOTATION, dnssync_nothing,
                         dnssync_nothing, m->object->resource,
                         "%s \"%.*s\" is not known, hence nothing is changed "
                         "for this object", word, torii_str_arg(value));
    m->keep = 1;
}


static void
dnssync_make_targets(dnssync_make_t *m)
{
    unsigned     i;
    uint32_t     n;
    torii_str_t  rest, piece, value;

    rest = m->says.values[DNSSYNC_SAY_TARGET];

    if (rest.len == 0) {
        return;
    }

    m->said = 1;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        m->targets[i] = torii_arena_alloc(m->plan->arena, DNSSYNC_TARGETS_MAX
                                                       * sizeof(torii_str_t));
    }

    for (n = 0; torii_str_next(&rest, ",", &piece); /* void */) {
        piece = dnssync_make_word(m->plan->arena, piece);

        if (piece.len == 0) {
            continue;
        }

        if (n++ == DNSSYNC_TARGETS_MAX
            || dnssync_make_target(m->plan->arena, piece, &i, &value)
               != TORII_OK)
        {
            dnssync_plan_finding(m->plan, DNSSYNC_WHY_TARGET, dnssync_nothing,
                                 dnssync_nothing, m->object->resource,
                                 "target \"%.*s\" is %s, hence nothing is "
                                 "changed for this object",
                                 torii_str_arg(piece), n > DNSSYNC_TARGETS_MAX
                                 ? "one too many"
                                 : "neither an address nor a host name");
            m->keep = 1;
            return;
        }

        m->targets[i][m->n[i]++] = value;
    }

    if (n == 0) {
        dnssync_make_keep(m, "target", m->says.values[DNSSYNC_SAY_TARGET]);
    }
}


static void
dnssync_make_options(dnssync_make_t *m)
{
    uint32_t  i;

    m->options = torii_arena_alloc(m->plan->arena, (m->says.noptions + 1)
                                                 * sizeof(dnssync_option_t));

    for (i = 0; i < m->says.noptions; i++) {

        if (torii_str_eqs(m->says.options[i].name, "aws/hosted-zone-id")
            && m->says.values[DNSSYNC_SAY_ZONE].len == 0)
        {
            m->says.values[DNSSYNC_SAY_ZONE] = m->says.options[i].value;
        }

        m->options[m->noptions++] = m->says.options[i];
    }

    if (torii_str_eqs(m->says.values[DNSSYNC_SAY_ALIAS], "true")) {
        m->options[m->noptions].name = torii_str("alias");
        m->options[m->noptions++].value = torii_str("true");
    }
}


static void
dnssync_make_hosts(dnssync_make_t *m, const torii_str_t *hosts, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        if (hosts[i].len) {
            dnssync_make_host(m, hosts[i]);
        }
    }
}


static void
dnssync_make_names(dnssync_make_t *m)
{
    torii_str_t  rest, piece;

    rest = m->says.values[DNSSYNC_SAY_HOSTNAME];

    while (torii_str_next(&rest, ",", &piece)) {
        piece = dnssync_make_word(m->plan->arena, piece);

        if (piece.len) {
            dnssync_make_host(m, piece);
        }
    }
}


static void
dnssync_make_host(dnssync_make_t *m, torii_str_t text)
{
    uint32_t     i;
    const char  *why;
    torii_str_t  host, access;

    if (dnssync_host_read(m->plan->arena, text, &host, &why) != TORII_OK) {
        dnssync_plan_finding(m->plan, DNSSYNC_WHY_NAME, dnssync_nothing,
                             dnssync_nothing, m->object->resource,
                             "host \"%.*s\" %s", torii_str_arg(text), why);
        return;
    }

    access = m->says.values[DNSSYNC_SAY_ACCESS];

    for (i = 0; i < m->conf->nviews; i++) {

        if (!m->keep && access.len
            && !torii_str_eq(access, m->conf->views[i].name))
        {
            continue;
        }

        dnssync_make_view(m, &m->conf->views[i], host);
    }
}


static void
dnssync_make_view(dnssync_make_t *m, const dnssync_view_t *view,
    torii_str_t host)
{
    unsigned  i;

    if (m->keep) {
        dnssync_make_add(m, view->name, host, DNSSYNC_TYPES, NULL, 0);
        return;
    }

    if (m->conf->served != NULL && !m->conf->served(m->conf->data, host)) {
        dnssync_plan_finding(m->plan, DNSSYNC_WHY_NOT_SERVED, dnssync_nothing,
                             host, m->object->resource,
                             "the gateway does not serve it");
        dnssync_make_add(m, view->name, host, DNSSYNC_TYPES, NULL, 0);
        return;
    }

    if (!m->said) {
        dnssync_make_addresses(m, view, host);
        return;
    }

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        if (m->n[i]) {
            dnssync_make_add(m, view->name, host, i, m->targets[i], m->n[i]);
        }
    }
}


/* A family that was lost is not a family that is not wanted. */

static void
dnssync_make_addresses(dnssync_make_t *m, const dnssync_view_t *view,
    torii_str_t host)
{
    unsigned      i, any;
    uint32_t      j, n[DNSSYNC_TYPES];
    torii_str_t  *targets[DNSSYNC_TYPES], value;

    for (i = 0; i < DNSSYNC_TYPES; i++) {
        targets[i] = torii_arena_alloc(m->plan->arena, (view->n + 1)
                                                       * sizeof(torii_str_t));
        n[i] = 0;
    }

    for (j = 0; j < view->n; j++) {
        if (dnssync_make_target(m->plan->arena, view->addresses[j], &i,
                                &value)
            == TORII_OK)
        {
            targets[i][n[i]++] = value;
        }
    }

    any = 0;

    for (i = 0; i < DNSSYNC_TYPES; i++) {

        if (n[i]) {
            any = 1;
            dnssync_make_add(m, view->name, host, i, targets[i], n[i]);

        } else if (view->keep & (1 << i)) {
            dnssync_make_add(m, view->name, host, i, NULL, 0);
        }
    }

    if (!any) {
        dnssync_plan_finding(m->plan, DNSSYNC_WHY_NO_TARGETS, dnssync_nothing,
                             host, m->object->resource, "the gateway has no "
                             "address to publish, hence it stays as it is");
        dnssync_make_add(m, view->name, host, DNSSYNC_TYPES, NULL, 0);
    }
}


/* i: the index of a type, or DNSSYNC_TYPES for all of them. */

static void
dnssync_make_add(dnssync_make_t *m, torii_str_t view, torii_str_t host,
    unsigned i, torii_str_t *targets, uint32_t n)
{
    dnssync_endpoint_t   *e, *endpoints;
    dnssync_endpoints_t  *list;

    static const unsigned  types[] = {
        DNSSYNC_A, DNSSYNC_AAAA, DNSSYNC_CNAME, 0
    };

    list = m->list;

    if (list->n == list->size) {
        list->size = list->size ? 2 * list->size : 16;
        endpoints = torii_arena_alloc(m->plan->arena, list->size
                                                * sizeof(dnssync_endpoint_t));
        if (list->n) {
            memcpy(endpoints, list->endpoints,
                   list->n * sizeof(dnssync_endpoint_t));
        }

        list->endpoints = endpoints;
    }

    e = &list->endpoints[list->n++];
    memset(e, 0, sizeof(dnssync_endpoint_t));

    e->name = host;
    e->view = view;
    e->set = m->says.values[DNSSYNC_SAY_SET];
    e->zone = m->says.values[DNSSYNC_SAY_ZONE];
    e->resource = m->object->resource;
    e->created = m->object->created;
    e->type = types[i];
    e->targets = targets;
    e->n = n;
    e->ttl = m->ttl;
    e->options = m->options;
    e->noptions = m->noptions;
    e->said = m->said;
}


static int
dnssync_make_target(torii_arena_t *a, torii_str_t text, unsigned *i,
    torii_str_t *value)
{
    unsigned     type;
    const char  *why;

    type = dnssync_value_type(text);

    *i = (type == DNSSYNC_A) ? 0 : (type == DNSSYNC_AAAA) ? 1 : 2;

    if (type == DNSSYNC_CNAME
        && (dnssync_host_read(a, text, value, &why) != TORII_OK
            || memchr(text.data, '*', text.len) != NULL))
    {
        return TORII_ERROR;
    }

    return type == DNSSYNC_CNAME ? TORII_OK
                                 : dnssync_value_read(a, type, text, value);
}


/* All blanks go, as with ExternalDNS. */

static torii_str_t
dnssync_make_word(torii_arena_t *a, torii_str_t text)
{
    size_t       i;
    torii_str_t  word;

    word.data = torii_arena_alloc(a, text.len);
    word.len = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] != ' ' && text.data[i] != '\t') {
            word.data[word.len++] = text.data[i];
        }
    }

    return word;
}


int
dnssync_ttl_read(torii_str_t text, uint32_t *ttl)
{
    uint64_t  total, value;

    if (torii_str_uint(text, DNSSYNC_TTL_LIMIT, &value) == TORII_OK) {
        *ttl = (uint32_t) value;
        return TORII_OK;
    }

    if (text.len == 0) {
        return TORII_ERROR;
    }

    for (total = 0; text.len; total += value) {
        if (dnssync_ttl_part(&text, &value) != TORII_OK
            || total / DNSSYNC_SECOND > DNSSYNC_TTL_LIMIT)
        {
            return TORII_ERROR;
        }
    }

    if (total / DNSSYNC_SECOND > DNSSYNC_TTL_LIMIT) {
        return TORII_ERROR;
    }

    *ttl = (uint32_t) (total / DNSSYNC_SECOND);

    return TORII_OK;
}


/* "1.5m", in nanoseconds; what is below them is cut off. */

static int
dnssync_ttl_part(torii_str_t *text, uint64_t *value)
{
    size_t          i, u;
    uint64_t        whole, unit, part;
    unsigned char  *p;

    p = text->data;

    for (i = 0, whole = 0; i < text->len && p[i] >= '0' && p[i] <= '9'; i++) {
        whole = whole * 10 + (p[i] - '0');

        if (whole > DNSSYNC_TTL_LIMIT) {
            return TORII_ERROR;
        }
    }

    if (i == 0) {
        return TORII_ERROR;
    }

    text->data += i;
    text->len -= i;
    p = text->data;
    i = 0;

    if (text->len && p[0] == '.') {
        for (i = 1; i < text->len && p[i] >= '0' && p[i] <= '9'; i++) {
            /* void */
        }

        text->data += i;
        text->len -= i;
    }

    for (u = 0; u < DNSSYNC_UNITS; u++) {
        if (torii_str_starts(*text, dnssync_units[u].name)) {
            break;
        }
    }

    if (u == DNSSYNC_UNITS) {
        return TORII_ERROR;
    }

    text->data += strlen(dnssync_units[u].name);
    text->len -= strlen(dnssync_units[u].name);

    unit = dnssync_units[u].nanoseconds;

    if (whole > UINT64_MAX / 4 / unit) {
        return TORII_ERROR;
    }

    *value = whole * unit;

    for (whole = 1, part = unit; whole < i; whole++) {
        part /= 10;
        *value += part * (p[whole] - '0');
    }

    return TORII_OK;
}


/*
 * From objects in files to what the engine is told: Secrets become providers,
 * Ingresses hosts, as the gateway's helper does it.
 */

#include <fcntl.h>
#include <unistd.h>
#include <sys/stat.h>

#include "torii_dns.h"


#define TORII_DNS_TYPE       "torii/dns-provider"
#define TORII_DNS_OPTIONS    128
#define TORII_DNS_FILE       65536
#define TORII_DNS_ADDRESSES  64


typedef struct {
    torii_dns_t        *dns;
    dnssync_engine_t   *engine;
    torii_str_t         name;
    dnssync_option_t    options[2 * TORII_DNS_OPTIONS + 2];
    uint32_t            n;
    uint32_t            good;
    uint32_t            bad;
} torii_dns_secrets_t;

typedef struct {
    torii_dns_t        *dns;
    dnssync_object_t   *objects;
    uint32_t            n;
    uint32_t            size;
} torii_dns_gather_t;


static void torii_dns_secret(void *data, ingress_object_t *o);
static void torii_dns_seen(torii_dns_t *t, torii_str_t view);
static void torii_dns_option(torii_dns_secrets_t *s, const char *name,
    torii_str_t value);
static torii_str_t torii_dns_setting(const torii_dns_secrets_t *s,
    const char *name);
static const char *torii_dns_files(torii_dns_secrets_t *s);
static int torii_dns_file(torii_arena_t *arena, torii_str_t path,
    torii_str_t *value);
static void torii_dns_account(torii_dns_secrets_t *s);
static void torii_dns_unknown(void *data, torii_str_t name, const char *hint);
static void torii_dns_bad(torii_dns_secrets_t *s, torii_str_t why);

static void torii_dns_view(torii_dns_t *t, dnssync_view_t *view,
    torii_str_t name, torii_str_t list);
static void torii_dns_size(void *data, ingress_object_t *o);
static void torii_dns_object(void *data, ingress_object_t *o);
static void torii_dns_hosts(torii_arena_t *arena, const ingress_ingress_t *in,
    dnssync_object_t *object);
static void torii_dns_says(torii_arena_t *arena, const ingress_object_t *o,
    dnssync_object_t *object);
static int torii_dns_served(void *data, torii_str_t host);


uint32_t
torii_dns_accounts(torii_dns_t *t, dnssync_engine_t *engine, uint32_t *bad)
{
    torii_dns_secrets_t  *s;

    s = torii_arena_zalloc(t->source.arena, sizeof(torii_dns_secrets_t));

    s->dns = t;
    s->engine = engine;

    dnssync_engine_begin(engine);

    ingress_store_each(t->source.store, INGRESS_KIND_SECRET, torii_dns_secret,
                       s);

    dnssync_engine_end(engine, torii_dns_now());

    *bad = s->bad;

    return s->good;
}


static void
torii_dns_secret(void *data, ingress_object_t *o)
{
    torii_dns_secrets_t *s = data;

    uint32_t                i;
    const char             *why;
    torii_str_t             name;
    const ingress_pairs_t  *settings;

    if (!torii_str_eqs(o->u.secret.type, TORII_DNS_TYPE)) {
        return;
    }

    settings = &o->u.secret.data;

    s->n = 0;
    s->name = torii_arena_printf(s->dns->source.arena, "%.*s/%.*s",
                                 torii_str_arg(o->namespace),
                                 torii_str_arg(o->name));

    if (settings->n > TORII_DNS_OPTIONS) {
        torii_dns_bad(s, torii_str("it has too many settings"));
        return;
    }

    for (i = 0; i < settings->n; i++) {
        name = settings->elts[i].name;

        if (!torii_str_eqs(name, "delete-delay")
            && !torii_str_eqs(name, "--delete-delay"))
        {
            s->options[s->n].name = name;
            s->options[s->n++].value = settings->elts[i].value;
        }
    }

    torii_dns_option(s, "delete-delay", torii_str("1"));

    why = torii_dns_files(s);

    if (why != NULL) {
        torii_dns_bad(s, torii_str(why));
        return;
    }

    if (torii_dns_setting(s, "view").len == 0) {
        torii_dns_option(s, "view", torii_str("public"));
    }

    torii_dns_seen(s->dns, torii_dns_setting(s, "view"));

    if (torii_dns_setting(s, "txt-owner-id").len == 0) {

        if (s->dns->owner.len == 0) {
            torii_dns_bad(s, torii_str("whose records they are is not said: "
                                       "--owner, --state, or txt-owner-id in "
                                       "the Secret"));
            return;
        }

        torii_dns_option(s, "txt-owner-id", s->dns->owner);
    }

    torii_dns_account(s);
}


static void
torii_dns_seen(torii_dns_t *t, torii_str_t view)
{
    uint32_t  i;

    for (i = 0; i < t->nviews; i++) {
        if (torii_str_eq(t->views[i], view)) {
            return;
        }
    }

    if (t->nviews < TORII_DNS_VIEWS) {
        t->views[t->nviews++] = view;
    }
}


static void
torii_dns_option(torii_dns_secrets_t *s, const char *name, torii_str_t value)
{
    s->options[s->n].name = torii_str(name);
    s->options[s->n++].value = value;
}


static torii_str_t
torii_dns_setting(const torii_dns_secrets_t *s, const char *name)
{
    uint32_t     i;
    torii_str_t  n;

    for (i = 0; i < s->n; i++) {
        n = s->options[i].name;

        if (torii_str_starts(n, "--")) {
            n.data += 2;
            n.len -= 2;
        }

        if (torii_str_eqs(n, name)) {
            return torii_str_trim(s->options[i].value);
        }
    }

    return torii_str("");
}


/* "api-key-file": the file's content is "api-key". */

static const char *
torii_dns_files(torii_dns_secrets_t *s)
{
    torii_str_t               name, path, value;
    const dnssync_driver_t   *driver;
    const dnssync_setting_t  *setting;

    driver = dnssync_driver(torii_dns_setting(s, "provider"));

    for (setting = driver ? driver->settings : NULL;
         setting && setting->name;
         setting++)
    {
        if (!setting->secret || torii_dns_setting(s, setting->name).len
            || s->n >= 2 * TORII_DNS_OPTIONS)
        {
            continue;
        }

        name = torii_arena_printf(s->dns->source.arena, "%s-file",
                                  setting->name);
        path = torii_dns_setting(s, (char *) name.data);

        if (path.len == 0) {
            continue;
        }

        if (torii_dns_file(s->dns->source.arena, path, &value) != TORII_OK) {
            name = torii_arena_printf(s->dns->source.arena, "%.*s, \"%.*s\", "
                                      "cannot be read, or is empty or too "
                                      "large", torii_str_arg(name),
                                      torii_str_arg(path));
            return (char *) name.data;
        }

        torii_dns_option(s, setting->name, value);
    }

    return NULL;
}


static int
torii_dns_file(torii_arena_t *arena, torii_str_t path, torii_str_t *value)
{
    int          fd;
    ssize_t      n;
    struct stat  st;

    path = torii_arena_str(arena, path);

    fd = open((char *) path.data, O_RDONLY|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return TORII_ERROR;
    }

    n = -1;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
        && st.st_size <= TORII_DNS_FILE)
    {
        value->data = torii_arena_alloc(arena, st.st_size + 1);
        n = read(fd, value->data, (size_t) st.st_size);
        value->len = n > 0 ? n : 0;
    }

    close(fd);

    return n > 0 ? TORII_OK : TORII_ERROR;
}


static void
torii_dns_account(torii_dns_secrets_t *s)
{
    torii_str_t         why;
    dnssync_account_t  *account;

    account = dnssync_account_create(s->name, s->options, s->n, &why);

    if (account->driver) {
        dnssync_account_unknown(account, torii_dns_unknown, s);
    }

    if (why.len) {
        torii_dns_bad(s, why);
        dnssync_account_free(account);
        return;
    }

    dnssync_engine_account(s->engine, torii_dns_now(), account);
    s->good++;
}


static void
torii_dns_unknown(void *data, torii_str_t name, const char *hint)
{
    torii_dns_secrets_t *s = data;

    fprintf(stderr, "torii: Secret %.*s: there is no setting \"%.*s\"%s%s%s\n",
            torii_str_arg(s->name), torii_str_arg(name),
            hint ? ", did you mean \"" : "", hint ? hint : "",
            hint ? "\"?" : "");
}


static void
torii_dns_bad(torii_dns_secrets_t *s, torii_str_t why)
{
    fprintf(stderr, "torii: Secret %.*s: %.*s\n", torii_str_arg(s->name),
            torii_str_arg(why));
    s->bad++;
}


void
torii_dns_objects(torii_dns_t *t, dnssync_objects_t *objects)
{
    uint32_t                  i;
    torii_str_t               list;
    dnssync_view_t           *views;
    torii_dns_gather_t       *g;
    const ingress_finding_t  *f;

    g = torii_arena_zalloc(t->source.arena, sizeof(torii_dns_gather_t));
    views = torii_arena_zalloc(t->source.arena,
                               (t->nviews + 1) * sizeof(dnssync_view_t));

    g->dns = t;

    for (i = 0; i < t->nviews; i++) {
        list = t->addresses;

        if (torii_str_eqs(t->views[i], "private") && t->private.len) {
            list = t->private;
        }

        torii_dns_view(t, &views[i], t->views[i], list);
    }

    ingress_store_served(t->source.store, torii_dns_size, g);

    g->objects = torii_arena_zalloc(t->source.arena,
                                    (g->size + 1) * sizeof(dnssync_object_t));

    ingress_store_served(t->source.store, torii_dns_object, g);

    objects->conf.views = views;
    objects->conf.nviews = t->nviews;
    objects->conf.served = torii_dns_served;
    objects->conf.data = g;
    objects->conf.tls_hosts = 1;
    objects->objects = g->objects;
    objects->n = g->n;
    objects->complete = 1;

    /* what could not be read may be there */

    for (f = t->source.files.first; f; f = f->next) {
        if (f->severity == INGRESS_ERROR) {
            objects->complete = 0;
        }
    }
}


static void
torii_dns_view(torii_dns_t *t, dnssync_view_t *view, torii_str_t name,
    torii_str_t list)
{
    torii_str_t  piece, *addresses;

    addresses = torii_arena_alloc(t->source.arena,
                                  TORII_DNS_ADDRESSES * sizeof(torii_str_t));

    view->name = name;
    view->addresses = addresses;

    while (list.len && view->n < TORII_DNS_ADDRESSES
           && torii_str_next(&list, ",", &piece))
    {
        piece = torii_str_trim(piece);

        if (piece.len) {
            addresses[view->n++] = piece;
        }
    }

    view->keep = view->n ? 0 : DNSSYNC_HAS_ALL;
}


static void
torii_dns_size(void *data, ingress_object_t *o)
{
    torii_dns_gather_t *g = data;

    g->size++;
}


static void
torii_dns_object(void *data, ingress_object_t *o)
{
    torii_dns_gather_t *g = data;

    torii_arena_t     *arena;
    dnssync_object_t  *object;

    arena = g->dns->source.arena;
    object = &g->objects[g->n++];

    object->resource = torii_arena_printf(arena, "ingress/%.*s/%.*s",
                                          torii_str_arg(o->namespace),
                                          torii_str_arg(o->name));
    object->created = o->created > 0 ? o->created : 0;

    torii_dns_hosts(arena, &o->u.ingress, object);
    torii_dns_says(arena, o, object);
}


static void
torii_dns_hosts(torii_arena_t *arena, const ingress_ingress_t *in,
    dnssync_object_t *object)
{
    uint32_t      i, k, n;
    torii_str_t  *hosts, *tls;

    hosts = torii_arena_alloc(arena, (in->nrules + 1) * sizeof(torii_str_t));

    for (i = 0; i < in->nrules; i++) {
        if (in->rules[i].host.len) {
            hosts[object->n++] = in->rules[i].host;
        }
    }

    for (i = 0, n = 0; i < in->ntls; i++) {
        n += in->tls[i].n;
    }

    tls = torii_arena_alloc(arena, (n + 1) * sizeof(torii_str_t));

    for (i = 0; i < in->ntls; i++) {
        for (k = 0; k < in->tls[i].n; k++) {
            tls[object->ntls++] = in->tls[i].hosts[k];
        }
    }

    object->hosts = hosts;
    object->tls = tls;
}


static void
torii_dns_says(torii_arena_t *arena, const ingress_object_t *o,
    dnssync_object_t *object)
{
    uint32_t           i;
    torii_str_t        name;
    dnssync_option_t  *options;

    options = torii_arena_alloc(arena, (o->annotations.n + 1)
                                       * sizeof(dnssync_option_t));

    for (i = 0; i < o->annotations.n; i++) {
        name = o->annotations.elts[i].name;

        if (torii_str_starts(name, "external-dns.")
            || torii_str_starts(name, "torii/dns-"))
        {
            options[object->nannotations].name = name;
            options[object->nannotations++].value =
                                                o->annotations.elts[i].value;
        }
    }

    object->annotations = options;
}


/* A host without a route of its own may have that of rules without a host. */

static int
torii_dns_served(void *data, torii_str_t host)
{
    torii_dns_gather_t *g = data;

    uint32_t                      i;
    torii_regex_cache_t          *regexes;
    const ingress_table_t        *t;
    const ingress_table_path_t   *path;
    const ingress_table_host_t   *h;

    t = &g->dns->source.table;

    h = ingress_route_name(t, host);

    if (h == NULL && host.data[0] != '*') {
        regexes = torii_regex_cache_create(16);
        h = ingress_route_host(t, regexes, host);
        torii_regex_cache_destroy(regexes);
    }

    if (h == NULL) {
        return 0;
    }

    if (h != &t->hosts[t->header->default_host]) {
        return 1;
    }

    for (i = 0; i < h->nexact + h->nprefix; i++) {
        path = &t->paths[i < h->nexact ? h->exact + i
                                       : h->prefix + i - h->nexact];

        if (!(t->routes[path->route].flags & INGRESS_ROUTE_AUTO)) {
            return 1;
        }
    }

    return 0;
}
